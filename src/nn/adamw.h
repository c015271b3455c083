#ifndef NN_ADAMW_H
#define NN_ADAMW_H

#include <stddef.h>

#include "simd/simd.h"

/* AdamW (Loshchilov & Hutter 2017, algorithm 2). */
struct adamw_settings {
    float beta1, beta2, eps;
    float weight_decay;
    float values_weight_decay; /* of memory values */
    float clip;                /* of the global gradient norm; 0: none */
};

/* What the kernel needs for update number n_updates (from 1) of an element. */
struct adamw_step adamw_step_at(const struct adamw_settings *settings, float lr, float weight_decay,
                                size_t n_updates, float gradient_scale);

#endif
