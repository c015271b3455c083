#ifndef SIMD_SLEEF_PURE_H
#define SIMD_SLEEF_PURE_H

/* SLEEF's deterministic one-element functions (1.0 ULP), plain C with fma. The library exports
 * them; sleef.h shows their prototypes only to objects that are compiled with FMA instructions. */

float Sleef_finz_expf1_u10purecfma(float x);
float Sleef_finz_erff1_u10purecfma(float x);
float Sleef_finz_logf1_u10purecfma(float x);
float Sleef_finz_sinf1_u10purecfma(float x);
float Sleef_finz_cosf1_u10purecfma(float x);
float Sleef_finz_powf1_u10purecfma(float x, float y);
double Sleef_finz_expd1_u10purecfma(double x);

#endif
