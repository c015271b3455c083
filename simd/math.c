#include "simd/math.h"

#include "simd/sleef_pure.h"

float math_exp(float x) {
    return Sleef_finz_expf1_u10purecfma(x);
}

float math_log(float x) {
    return Sleef_finz_logf1_u10purecfma(x);
}

float math_sin(float x) {
    return Sleef_finz_sinf1_u10purecfma(x);
}

float math_cos(float x) {
    return Sleef_finz_cosf1_u10purecfma(x);
}

float math_pow(float x, float y) {
    return Sleef_finz_powf1_u10purecfma(x, y);
}

double math_exp_double(double x) {
    return Sleef_finz_expd1_u10purecfma(x);
}
