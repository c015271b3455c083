#ifndef MODEL_MODEL_FILE_H
#define MODEL_MODEL_FILE_H

#include "base/digest.h"
#include "model/model.h"
#include "tensor/tensor.h"

/* A model as files hold it; model_save and model_load are in model.h. */

/* A parameter's name and shape with `data` [shape], as files take it. */
static inline struct tensor parameter_tensor(const struct parameter *parameter, const float *data) {
    struct tensor tensor = {
        .name = parameter->name, .type = TENSOR_F32, .rank = parameter->rank, .data = data};
    for (size_t i = 0; i < parameter->rank; i++) tensor.shape[i] = parameter->shape[i];
    return tensor;
}

/* The digest of all parameters, by the rules in <mneme/digest.h>: that of the file that model_save
 * would write. */
mneme_status parameter_digest_model(const struct model *model, struct digest *digest,
                                    mneme_error *error);

/* Of n parameters by the same rules. */
mneme_status parameter_digest_list(size_t n, struct parameter *const *parameters,
                                   struct digest *digest, mneme_error *error);

#endif
