#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "interchange/foreign.h"
#include "interchange/gguf_keys.h"
#include "interchange/gguf_rope.h"
#include "interchange/hf_layout.h"
#include "tensor/gguf.h"

/* A Llama or one of its relatives in a GGUF file. */

static void name_of(const struct parameter *p, char name[FOREIGN_NAME_SIZE]) {
    const char *own = p->gguf_name == NULL ? p->name : p->gguf_name;
    bool in_layer = strncmp(p->name, "layers.", strlen("layers.")) == 0;
    if (in_layer) {
        snprintf(name, FOREIGN_NAME_SIZE, "blk.%zu.%s", p->layer, own);
    } else {
        snprintf(name, FOREIGN_NAME_SIZE, "%s", own);
    }
}

/* Every tensor of the file belongs to a parameter. */
static mneme_status check_no_others(const struct gguf *file, const struct model *model,
                                    mneme_error *error) {
    for (size_t i = 0; i < file->n; i++) {
        bool known = strcmp(file->entries[i].name, GGUF_ROPE_FACTORS) == 0;
        for (size_t j = 0; j < model->n_parameters && !known; j++) {
            char name[FOREIGN_NAME_SIZE];
            name_of(&model->parameters[j], name);
            known = strcmp(name, file->entries[i].name) == 0;
        }
        if (known) continue;
        return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: the model has no such parameter",
                         file->file.path, file->entries[i].name);
    }
    return MNEME_OK;
}

static mneme_status check_tensors(const struct gguf *file, const struct model *model,
                                  mneme_error *error) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        char name[FOREIGN_NAME_SIZE];
        name_of(p, name);
        TRY(gguf_check_f32(file, name, p->rank, p->shape, error));
    }
    return check_no_others(file, model, error);
}

/* Of a tensor that is there. */
static enum stored_type type_of(const struct gguf *file, const char *name) {
    enum tensor_type type;
    enum stored_type stored = STORED_F32;
    const char *theirs = gguf_find(file, name)->type->name;
    if (!tensor_type_from_name(theirs, &type) || !tensor_type_stored(type, &stored)) {
        return STORED_F32; /* quantized */
    }
    return stored;
}

static mneme_status read_tensors(const struct gguf *file, const struct model *model,
                                 mneme_error *error) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        char name[FOREIGN_NAME_SIZE];
        name_of(p, name);
        TRY(gguf_read_f32(file, name, p->rank, p->shape, p->data, error));
        p->file_type = type_of(file, name);
    }
    return MNEME_OK;
}

mneme_status foreign_open_gguf(const char *path, struct model *model, mneme_error *error) {
    struct gguf file;
    const struct gguf_architecture *architecture;
    struct model_config config;
    *model = (struct model){0};
    TRY(gguf_open(&file, path, error));
    mneme_status status = gguf_config(&file, &architecture, &config, error);
    THEN(model_describe(&config, model, error));
    THEN(check_tensors(&file, model, error));
    THEN(model_allocate(model, error));
    THEN(read_tensors(&file, model, error));
    if (status == MNEME_OK && architecture->splits_halves) {
        status = hf_layout_pair_model(model, error);
    }
    if (status != MNEME_OK) model_close(model);
    gguf_close(&file);
    return status;
}
