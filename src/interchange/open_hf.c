#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "interchange/foreign.h"
#include "interchange/hf_config.h"
#include "interchange/hf_layout.h"

/* Tables of angles, which older versions wrote; the output that is the embedding. */
static bool is_needless(const struct model *model, const char *theirs) {
    if (strcmp(theirs, "lm_head.weight") == 0) return model->config.tied_output;
    const char *last = strstr(theirs, ".rotary_emb.inv_freq");
    return last != NULL && strcmp(last, ".rotary_emb.inv_freq") == 0;
}

/* An output that stands in the file of a model whose output is the embedding must be the embedding:
 * version 4 of transformers passes over it, version 5 takes it. */
static mneme_status check_tied(const struct safetensors_set *set, const struct model *model,
                               mneme_error *error) {
    static const char name[] = "lm_head.weight";
    const struct parameter *embedding = model->embedding;
    const struct safetensors *file = safetensors_set_holder(set, name);
    if (!model->config.tied_output || file == NULL) return MNEME_OK;
    float *output = memory_allocate(embedding->count, sizeof *output);
    if (output == NULL) return error_set_memory(error, "the output");
    mneme_status status =
        safetensors_set_read_f32(set, name, embedding->rank, embedding->shape, output, error);
    if (status == MNEME_OK &&
        memcmp(output, embedding->data, embedding->count * sizeof *output) != 0) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s: tensor `%s`: is not the embedding, to which tie_word_embeddings "
                           "ties it",
                           file->file.path, name);
    }
    free(output);
    return status;
}

mneme_status foreign_open_hf(const char *path, struct model *model, mneme_error *error) {
    static const struct foreign_names names = {hf_layout_name, is_needless};
    struct model_config config;
    struct safetensors_set set;
    TRY(hf_config_read(path, &config, error));
    TRY(safetensors_set_open(&set, path, error));
    mneme_status status = model_describe(&config, model, error);
    THEN(foreign_read(&set, &names, model, error));
    if (status == MNEME_OK) {
        status = check_tied(&set, model, error);
        THEN(hf_layout_pair_model(model, error));
        if (status != MNEME_OK) model_close(model);
    }
    safetensors_set_close(&set);
    return status;
}
