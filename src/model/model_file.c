#include "model/model.h"

#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/rehearsal.h"
#include "nn/matmul.h"
#include "nn/matmul_backend.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors_set.h"

static mneme_status save_config(const struct model *model, const char *directory,
                                mneme_error *error) {
    json_t *object = model_config_to_json(&model->config);
    mneme_status status =
        object == NULL ? error_set_memory(error, "config.json")
                       : json_write_file(path_in(directory, "config.json").text, object, error);
    json_decref(object);
    return status;
}

mneme_status model_save_as(const struct model *model, const char *directory,
                           const enum stored_type *as, mneme_error *error) {
    TRY(directory_make(directory, error));
    TRY(save_config(model, directory, error));
    struct tensor *tensors = calloc(model->n_parameters, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, "model.safetensors");
    const char *mark = matmul_backend_mark();
    const struct safetensors_metadata metadata[] = {{"format", "pt"},
                                                    {SAFETENSORS_NOT_CANONICAL, mark}};
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < model->n_parameters; i++) {
        THEN(parameter_file_tensor(&model->parameters[i], as, &tensors[i], error));
    }
    THEN(safetensors_write_sealed(path_in(directory, "model.safetensors").text, tensors,
                                  model->n_parameters, metadata, mark == NULL ? 1 : 2, error));
    free(tensors);
    return status;
}

mneme_status model_save(const struct model *model, const char *directory, mneme_error *error) {
    return model_save_as(model, directory, NULL, error);
}

mneme_status model_load_config(const char *directory, struct model_config *config,
                               mneme_error *error) {
    const struct path path = path_in(directory, "config.json");
    json_t *object = NULL;
    mneme_status status = json_read_file(path.text, JSON_MAX_BYTES, &object, error);
    THEN(model_config_from_json(object, path.text, config, error));
    json_decref(object);
    return status;
}

/* The described model's parameters are the folder's tensors, no more and no fewer. */
mneme_status model_check_tensors(const struct model *model, const struct safetensors_set *set,
                                 mneme_error *error) {
    if (set->n != model->n_parameters) {
        return error_set(error, MNEME_BAD_INPUT, "%s: %zu tensors, the config asks for %zu",
                         set->place.text, set->n, model->n_parameters);
    }
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        TRY(safetensors_set_check_f32(set, p->name, p->rank, p->shape, error));
    }
    return MNEME_OK;
}

/* All parameters but those that have one of the roles, and those that lie in the files. */
static mneme_status read_parameters(struct model *model, const struct safetensors_set *set,
                                    unsigned without, mneme_error *error) {
    if (rehearsal_is_on()) return MNEME_OK;
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if ((p->roles & without) != 0 || p->in_file) continue;
        TRY(safetensors_set_read_f32(set, p->name, p->rank, p->shape, p->data, error));
    }
    return MNEME_OK;
}

/* Elements below which a parameter is not worth the pages that it would share with others. */
#define LEAST_MAPPED ((size_t)1 << 14)

void model_note_types(struct model *model, const struct safetensors_set *set, unsigned without) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if ((p->roles & without) == 0) p->file_type = safetensors_set_type(set, p->name);
    }
}

/* Sub-keys, norms and biases are not worth it. */
enum stored_type model_kept_type(const struct parameter *p) {
    const unsigned weight = ROLE_LINEAR | ROLE_OUTPUT | ROLE_EMBEDDING;
    const bool is_weight = p->kind != PARAMETER_COMMON || (p->roles & weight) != 0;
    const bool keeps = is_weight && p->count >= LEAST_MAPPED && matmul_reads(p->file_type);
    return keeps ? p->file_type : STORED_F32;
}

static bool is_read_narrow(const struct parameter *p) {
    return model_kept_type(p) != STORED_F32;
}

/* Leaves a parameter in its file if it can. */
static mneme_status map_parameter(struct model *model, const struct safetensors_set *set,
                                  struct parameter *p, mneme_error *error) {
    struct stored stored;
    TRY(safetensors_map_stored(&model->files, set, p->name, p->rank, p->shape, &stored, error));
    p->in_file = stored.data != NULL;
    if (stored.type == STORED_F32) {
        p->data = (float *)(uintptr_t)stored.data;
    } else {
        p->narrow = stored;
    }
    if (p->in_file) rehearsal_add(WEIGHTS_IN_FILE, parameter_bytes(p));
    return MNEME_OK;
}

/* All value tables or none: a table of floats lies beside the others. */
static mneme_status map_tables(struct model *model, const struct safetensors_set *set,
                               mneme_error *error) {
    bool all = true;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        all = all && (p->kind == PARAMETER_COMMON || is_read_narrow(p));
    }
    for (size_t i = 0; i < model->n_parameters && all; i++) {
        struct parameter *p = &model->parameters[i];
        if (p->kind == PARAMETER_COMMON) continue;
        TRY(map_parameter(model, set, p, error));
        p->changed = changed_rows_open(p->shape[0]);
        if (p->changed == NULL) return error_set_memory(error, p->name);
        all = p->in_file;
    }
    for (size_t i = 0; i < model->n_parameters && !all; i++) {
        struct parameter *p = &model->parameters[i];
        if (p->kind == PARAMETER_COMMON) continue;
        changed_rows_close(p->changed);
        p->changed = NULL;
        if (p->in_file) rehearsal_take(WEIGHTS_IN_FILE, parameter_bytes(p));
        p->in_file = false;
        p->narrow = (struct stored){0};
    }
    return MNEME_OK;
}

/* Leaves parameters of a described model in the files: those that can be and that are large, and
 * none that has one of the roles. Value tables that are floats are to be written to. */
static mneme_status map_parameters(struct model *model, const struct safetensors_set *set,
                                   unsigned without, mneme_error *error) {
    TRY(safetensors_map_open(&model->files, set, error));
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if ((p->roles & without) != 0 || p->kind != PARAMETER_COMMON) continue;
        if (p->file_type == STORED_F32 ? p->count < LEAST_MAPPED : !is_read_narrow(p)) continue;
        TRY(map_parameter(model, set, p, error));
    }
    return (without & ROLE_MEMORY) != 0 ? MNEME_OK : map_tables(model, set, error);
}

static mneme_status load(const char *directory, bool mapped, struct model *model,
                         mneme_error *error) {
    *model = (struct model){0};
    struct model_config config;
    struct safetensors_set set;
    TRY(model_load_config(directory, &config, error));
    TRY(safetensors_set_open(&set, directory, error));
    mneme_status status = model_describe(&config, model, error);
    THEN(model_check_tensors(model, &set, error));
    if (status == MNEME_OK) model_note_types(model, &set, 0);
    if (mapped) THEN(map_parameters(model, &set, 0, error));
    THEN(model_allocate(model, error));
    THEN(read_parameters(model, &set, 0, error));
    if (status != MNEME_OK) model_close(model);
    safetensors_set_close(&set);
    return status;
}

mneme_status model_load(const char *directory, struct model *model, mneme_error *error) {
    return load(directory, false, model, error);
}

mneme_status model_map(const char *directory, struct model *model, mneme_error *error) {
    return load(directory, true, model, error);
}

void parameter_forget(const struct parameter *parameter) {
    if (!parameter->in_file) return;
    mapped_file_forget(parameter_stored(parameter).data, parameter_bytes(parameter));
}

void model_forget_files(const struct model *model) {
    for (size_t i = 0; i < model->n_parameters; i++) parameter_forget(&model->parameters[i]);
}

/* The folder of a model without memory has all that such a config asks for, no more. */
static mneme_status check_base(const struct model_config *config, const struct safetensors_set *set,
                               mneme_error *error) {
    struct model described;
    TRY(model_describe(config, &described, error));
    mneme_status status = model_check_tensors(&described, set, error);
    model_close(&described);
    return status;
}

mneme_status model_read_base(const char *directory, struct model *model, mneme_error *error) {
    struct model_config config;
    struct safetensors_set set;
    TRY(model_load_config(directory, &config, error));
    TRY(safetensors_set_open(&set, directory, error));
    const unsigned without = config.memory.n_layers > 0 ? 0 : ROLE_MEMORY;
    mneme_status status = check_base(&config, &set, error);
    THEN(read_parameters(model, &set, without, error));
    safetensors_set_close(&set);
    return status;
}

mneme_status model_read(const char *directory, struct model *model, mneme_error *error) {
    struct safetensors_set set;
    TRY(safetensors_set_open(&set, directory, error));
    mneme_status status = model_check_tensors(model, &set, error);
    THEN(read_parameters(model, &set, 0, error));
    safetensors_set_close(&set);
    return status;
}

mneme_status model_load_with_memory(const char *directory, const struct memory_config *memory,
                                    struct model *model, mneme_error *error) {
    const struct path path = path_in(directory, "config.json");
    struct model_config config;
    *model = (struct model){0};
    TRY(model_load_config(directory, &config, error));
    if (config.memory.n_layers > 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: the model has a memory already", path.text);
    }
    struct model_config extended = config;
    extended.memory = *memory;
    TRY(model_config_check(&extended, CONFIG_OF_HF, path.text, error));
    struct safetensors_set set;
    TRY(safetensors_set_open(&set, directory, error));
    mneme_status status = check_base(&config, &set, error);
    THEN(model_describe(&extended, model, error));
    if (status == MNEME_OK) model_note_types(model, &set, ROLE_MEMORY);
    THEN(map_parameters(model, &set, ROLE_MEMORY, error));
    THEN(model_allocate(model, error));
    THEN(read_parameters(model, &set, ROLE_MEMORY, error));
    if (status != MNEME_OK) model_close(model);
    safetensors_set_close(&set);
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
