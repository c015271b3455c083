#include "model/parameter_digest.h"

#include <stdlib.h>

#include "model/parameter_tensor.h"
#include "tensor/tensor_digest.h"

mneme_status parameter_digest_list(size_t n, struct parameter *const *parameters,
                                   struct digest *digest, mneme_error *error) {
    struct tensor *tensors = calloc(n + 1, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, "a digest");
    for (size_t i = 0; i < n; i++)
        tensors[i] = parameter_tensor(parameters[i], parameters[i]->data);
    mneme_status status = tensor_digest_list(tensors, n, digest, NULL, error);
    free(tensors);
    return status;
}

mneme_status parameter_digest_model(const struct model *model, struct digest *digest,
                                    mneme_error *error) {
    struct parameter **list = calloc(model->n_parameters + 1, sizeof *list);
    if (list == NULL) return error_set_memory(error, "a digest");
    for (size_t i = 0; i < model->n_parameters; i++) list[i] = &model->parameters[i];
    mneme_status status = parameter_digest_list(model->n_parameters, list, digest, error);
    free(list);
    return status;
}
