#include "model/projection.h"

#include "nn/linear.h"

void projection_forward(struct pass *pass, size_t n, const struct parameter *weight,
                        const struct parameter *bias, const float *x, float *y) {
    struct matmul_scratch *matmul = &pass->scratch.matmul;
    size_t in = weight->shape[1], out = weight->shape[0];
    linear_forward(matmul, n, in, out, x, weight->data,
                   packed_weights_of(&pass->packed, weight).forward,
                   bias == NULL ? NULL : bias->data, y);
    struct adapter *adapter = adapter_of(pass->adapters, weight);
    if (adapter == NULL) return;
    lora_forward(matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                 adapter->b.data, adapter->hidden, y);
}

void projection_backward(struct pass *pass, struct gradients *gradients, size_t n,
                         const struct parameter *weight, const struct parameter *bias,
                         const float *x, const float *dy, float *dx, bool accumulate) {
    struct matmul_scratch *matmul = &pass->scratch.matmul;
    size_t in = weight->shape[1], out = weight->shape[0];
    float *d_weight = gradient_of(gradients, weight);
    float *d_bias = bias == NULL ? NULL : gradient_of(gradients, bias);
    if (d_weight != NULL) linear_backward_weight(matmul, n, in, out, x, dy, d_weight);
    if (d_bias != NULL) linear_backward_bias(n, out, dy, d_bias);
    if (dx != NULL) {
        linear_backward_input(matmul, n, in, out, dy, weight->data,
                              packed_weights_of(&pass->packed, weight).backward, dx, accumulate);
    }
    struct adapter *adapter = adapter_of(pass->adapters, weight);
    if (adapter == NULL) return;
    lora_backward(matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                  adapter->b.data, adapter->hidden, dy, pass->adapters->dhidden,
                  gradient_of(gradients, &adapter->a), gradient_of(gradients, &adapter->b), dx);
}
