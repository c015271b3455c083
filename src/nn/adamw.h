#ifndef NN_ADAMW_H
#define NN_ADAMW_H

#include <stddef.h>

#include "simd/simd.h"

/* Whose gradients share a norm when they are clipped. */
enum clip_values {
    CLIP_TOGETHER, /* all: scaled by clip / norm where the norm is larger */
    CLIP_SEPARATE, /* the value tables have a norm of their own, all others another, as in the
                      reference; each is scaled by min(1, clip / (norm + 1e-6)), PyTorch's rule */
    CLIP_VALUES_COUNT
};

/* "together", "separate" */
extern const char *const clip_values_names[CLIP_VALUES_COUNT];

/* AdamW (Loshchilov & Hutter 2017, algorithm 2). */
struct adamw_settings {
    float beta1, beta2, eps;
    float weight_decay;
    float values_weight_decay; /* of memory values */
    float clip;                /* the largest gradient norm; 0: any */
    enum clip_values clip_values;
};

/* What a norm's gradients are multiplied with. */
float adamw_clip_scale(const struct adamw_settings *settings, float norm);

/* What the kernel needs for update number n_updates (from 1) of an element. */
struct adamw_step adamw_step_at(const struct adamw_settings *settings, float lr, float weight_decay,
                                size_t n_updates, float gradient_scale);

#endif
