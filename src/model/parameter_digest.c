#include "model/parameter_digest.h"

#include <stdlib.h>

#include "model/parameter_tensor.h"
#include "tensor/tensor_digest.h"

mneme_status parameter_digest_model(const struct model *model, struct digest *digest,
                                    mneme_error *error) {
    struct tensor *tensors = calloc(model->n_parameters, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, "a digest");
    for (size_t i = 0; i < model->n_parameters; i++) {
        tensors[i] = parameter_tensor(&model->parameters[i], model->parameters[i].data);
    }
    mneme_status status = tensor_digest_list(tensors, model->n_parameters, digest, NULL, error);
    free(tensors);
    return status;
}
