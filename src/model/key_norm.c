#include "model/key_norm.h"

#include <math.h>

#include "nn/elementwise.h"
#include "nn/rms_norm.h"

const struct parameter *key_norm_of(const struct model *model, const struct parameter *keys) {
    return (keys->roles & ROLE_KEYS) != 0 ? model->layers[keys->layer].key_norm : NULL;
}

size_t key_norm_size(const struct parameter *keys) {
    return keys->count + keys->shape[0];
}

static float scale_of(const struct parameter *keys) {
    return 1.0f / sqrtf((float)keys->shape[1]);
}

void key_norm_forward(const struct model *model, const struct parameter *keys, float *scored) {
    rms_norm_forward(keys->shape[0], keys->shape[1], keys->data, key_norm_of(model, keys)->data,
                     model->config.norm_eps, scored, scored + keys->count);
    elementwise_scale(keys->count, scale_of(keys), scored);
}

void key_norm_backward(const struct model *model, const struct gradients *gradients,
                       const struct parameter *keys, const float *scored) {
    const struct parameter *gain = key_norm_of(model, keys);
    float *gradient = gradient_of(gradients, keys);
    elementwise_scale(keys->count, scale_of(keys), gradient);
    rms_norm_backward(keys->shape[0], keys->shape[1], keys->data, gain->data, scored + keys->count,
                      gradient, gradient, gradient_of(gradients, gain));
}
