#ifndef MODEL_PARAMETER_TENSOR_H
#define MODEL_PARAMETER_TENSOR_H

#include "model/parameter.h"
#include "tensor/tensor.h"

/* A parameter's name and shape with `data` [shape], as files take it. */
static inline struct tensor parameter_tensor(const struct parameter *parameter, const float *data) {
    struct tensor tensor = {
        .name = parameter->name, .type = TENSOR_F32, .rank = parameter->rank, .data = data};
    for (size_t i = 0; i < parameter->rank; i++) tensor.shape[i] = parameter->shape[i];
    return tensor;
}

#endif
