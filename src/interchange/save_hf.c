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

/* What RoPE turns, in transformers' order, as floats; the caller frees the block. tensors[i] are
 * the parameters'. */
static mneme_status split_rows(const struct model *model, struct tensor *tensors, float **block,
                               mneme_error *error) {
    size_t count = 0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (hf_layout_is_turned(model, p)) count += p->count;
    }
    const size_t largest = hf_layout_largest_turned(model);
    *block = memory_allocate(count + largest, sizeof **block);
    if (*block == NULL) return error_set_memory(error, "weights");
    float *next = *block + largest; /* the pairs come first */
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (!hf_layout_is_turned(model, p)) continue;
        parameter_read(p, 0, p->count, *block);
        hf_layout_split(model, p, *block, next);
        enum stored_type type = STORED_F32;
        (void)tensor_type_stored(tensors[i].type, &type);
        tensors[i].data = next;
        TRY(parameter_narrow_tensor(&tensors[i], p->count, type, error));
        next += p->count;
    }
    return MNEME_OK;
}

static mneme_status list_tensors(const struct model *model, const enum stored_type *as,
                                 char (*names)[FOREIGN_NAME_SIZE], struct tensor *tensors,
                                 mneme_error *error) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        TRY(parameter_file_tensor(&model->parameters[i], as, &tensors[i], error));
        hf_layout_name(&model->parameters[i], names[i]);
        tensors[i].name = names[i];
    }
    return MNEME_OK;
}

static mneme_status save_weights(const struct model *model, const enum stored_type *as,
                                 const char *path, mneme_error *error) {
    static const struct safetensors_metadata metadata = {"format", "pt"};
    struct tensor *tensors = calloc(model->n_parameters, sizeof *tensors);
    char(*names)[FOREIGN_NAME_SIZE] = calloc(model->n_parameters, sizeof *names);
    float *block = NULL;
    mneme_status status =
        tensors == NULL || names == NULL ? error_set_memory(error, path) : MNEME_OK;
    THEN(list_tensors(model, as, names, tensors, error));
    THEN(split_rows(model, tensors, &block, error));
    THEN(safetensors_write(path, tensors, model->n_parameters, &metadata, 1, error));
    free(block);
    free(names);
    free(tensors);
    return status;
}

/* The type that all parameters have in files; f32 where they differ. */
static enum stored_type common_type(const struct model *model) {
    const enum stored_type first = parameter_own_type(&model->parameters[0]);
    for (size_t i = 1; i < model->n_parameters; i++) {
        if (parameter_own_type(&model->parameters[i]) != first) return STORED_F32;
    }
    return first;
}

mneme_status foreign_save_hf(const struct model *model, const char *source,
                             const struct tokenizer *tokenizer, const enum stored_type *as,
                             const char *folder, mneme_error *error) {
    static const char *const torch_names[STORED_TYPES] = {
        [STORED_F32] = "float32", [STORED_BF16] = "bfloat16", [STORED_F16] = "float16"};
    const enum stored_type type = as == NULL ? common_type(model) : *as;
    json_t *object = NULL;
    TRY(hf_config_to_json(&model->config, source, &object, error));
    json_object_set_new(object, "torch_dtype", json_string(torch_names[type]));
    mneme_status status = hf_files_export_ends(source, tokenizer, object, error);
    THEN(json_write_file(path_in(folder, "config.json").text, object, error));
    json_decref(object);
    THEN(save_weights(model, as, path_in(folder, "model.safetensors").text, error));
    return status;
}
