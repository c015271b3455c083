#include "model/projection.h"

#include "model/adapter.h"
#include "nn/linear.h"

void projection_forward(struct workspace *w, size_t n, const struct parameter *weight,
                        const struct parameter *bias, const float *x, float *y) {
    size_t in = weight->shape[1], out = weight->shape[0];
    linear_forward(&w->matmul, n, in, out, x, weight->data,
                   packed_weights_of(&w->packed, weight).forward, bias == NULL ? NULL : bias->data,
                   y);
    const struct adapter *adapter = weight->adapter;
    if (adapter == NULL) return;
    lora_forward(&w->matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                 adapter->b.data, adapter->hidden, y);
}

void projection_backward(struct workspace *w, size_t n, const struct parameter *weight,
                         const struct parameter *bias, const float *x, const float *dy, float *dx,
                         bool accumulate) {
    size_t in = weight->shape[1], out = weight->shape[0];
    if (weight->gradient != NULL) {
        linear_backward_weight(&w->matmul, n, in, out, x, dy, weight->gradient);
    }
    if (bias != NULL && bias->gradient != NULL) linear_backward_bias(n, out, dy, bias->gradient);
    if (dx != NULL) {
        linear_backward_input(&w->matmul, n, in, out, dy, weight->data,
                              packed_weights_of(&w->packed, weight).backward, dx, accumulate);
    }
    const struct adapter *adapter = weight->adapter;
    if (adapter == NULL) return;
    lora_backward(&w->matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                  adapter->b.data, adapter->hidden, dy, adapter->dhidden, adapter->a.gradient,
                  adapter->b.gradient, dx);
}
