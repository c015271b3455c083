#include <stdlib.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "base/path.h"
#include "interchange/foreign.h"
#include "interchange/hf_config.h"
#include "interchange/hf_files.h"
#include "interchange/hf_layout.h"
#include "model/model.h"
#include "tensor/safetensors.h"

/* What RoPE turns, in transformers' order; the caller frees the block. tensors[i] are the
 * parameters'. */
static mneme_status split_rows(const struct model *model, struct tensor *tensors, float **block,
                               mneme_error *error) {
    size_t count = 0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (hf_layout_is_turned(model, p)) count += p->count;
    }
    *block = memory_allocate(count, sizeof **block);
    if (*block == NULL) return error_set_memory(error, "weights");
    float *next = *block;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (!hf_layout_is_turned(model, p)) continue;
        hf_layout_split(model, p, next);
        tensors[i].data = next;
        next += p->count;
    }
    return MNEME_OK;
}

static mneme_status save_weights(const struct model *model, const char *path, mneme_error *error) {
    static const struct safetensors_metadata metadata = {"format", "pt"};
    struct tensor *tensors = calloc(model->n_parameters, sizeof *tensors);
    char(*names)[FOREIGN_NAME_SIZE] = calloc(model->n_parameters, sizeof *names);
    float *block = NULL;
    mneme_status status =
        tensors == NULL || names == NULL ? error_set_memory(error, path) : MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        tensors[i] = parameter_tensor(&model->parameters[i], model->parameters[i].data);
        hf_layout_name(&model->parameters[i], names[i]);
        tensors[i].name = names[i];
    }
    THEN(split_rows(model, tensors, &block, error));
    THEN(safetensors_write(path, tensors, model->n_parameters, &metadata, 1, error));
    free(block);
    free(names);
    free(tensors);
    return status;
}

mneme_status foreign_save_hf(const struct model *model, const char *source,
                             const struct tokenizer *tokenizer, const char *folder,
                             mneme_error *error) {
    json_t *object = NULL;
    TRY(hf_config_to_json(&model->config, source, &object, error));
    mneme_status status = hf_files_export_ends(source, tokenizer, object, error);
    THEN(json_write_file(path_in(folder, "config.json").text, object, error));
    json_decref(object);
    THEN(save_weights(model, path_in(folder, "model.safetensors").text, error));
    return status;
}
