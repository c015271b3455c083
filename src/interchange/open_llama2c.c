#include <string.h>

#include "base/file.h"
#include "interchange/foreign.h"

/* llama2.c's .bin, version 0: a header of seven int32, then f32 weights, each kind for all layers
 * before the next kind; RoPE on neighbouring pairs, as here. */

enum { DIM, HIDDEN_DIM, N_LAYERS, N_HEADS, N_KV_HEADS, VOCAB_SIZE, MAX_SEQ_LEN, N_FIELDS };

/* "ak42", where versions 1 and 2 begin. */
#define NEWER_MAGIC 0x616b3432

static mneme_status read_config(const struct file_reader *file, struct model_config *config,
                                mneme_error *error) {
    static const char *const names[N_FIELDS] = {"dim",        "hidden_dim", "n_layers",   "n_heads",
                                                "n_kv_heads", "vocab_size", "max_seq_len"};
    int32_t fields[N_FIELDS];
    TRY(file_reader_read(file, 0, fields, sizeof fields, error));
    if (fields[0] == NEWER_MAGIC) {
        return error_set(error, MNEME_BAD_INPUT, "%s: version 1 or 2; only version 0 is supported",
                         file->path);
    }
    /* A negative vocab_size says that the output is not the embedding. */
    bool tied = fields[VOCAB_SIZE] > 0;
    if (!tied && fields[VOCAB_SIZE] != INT32_MIN) fields[VOCAB_SIZE] = -fields[VOCAB_SIZE];
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (fields[i] >= 1 && fields[i] <= 1 << 20) continue;
        return error_set(error, MNEME_BAD_INPUT, "%s: header: %s is %d, must be from 1 to 1048576",
                         file->path, names[i], (int)fields[i]);
    }
    *config = (struct model_config){.vocab_size = (size_t)fields[VOCAB_SIZE],
                                    .dim = (size_t)fields[DIM],
                                    .n_layers = (size_t)fields[N_LAYERS],
                                    .n_heads = (size_t)fields[N_HEADS],
                                    .n_kv_heads = (size_t)fields[N_KV_HEADS],
                                    .multiple_of = 1,
                                    .hidden_dim = (size_t)fields[HIDDEN_DIM],
                                    .max_seq_len = (size_t)fields[MAX_SEQ_LEN],
                                    .norm_eps = 1e-5f,
                                    .rope_theta = 10000.0f,
                                    .tied_output = tied};
    return model_config_check(config, CONFIG_OF_LINGUA, file->path, error); /* of the same words */
}

/* The tables of angles before the output, which are made anew here. */
static size_t table_count(const struct model_config *config) {
    return config->max_seq_len * model_head_dim(config);
}

static mneme_status check_size(const struct file_reader *file, const struct model *model,
                               mneme_error *error) {
    uint64_t expected = N_FIELDS * sizeof(int32_t) +
                        (model_count(model) + table_count(&model->config)) * sizeof(float);
    if (file->size == expected) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: has %llu bytes, its header asks for %llu",
                     file->path, (unsigned long long)file->size, (unsigned long long)expected);
}

static mneme_status read_parameter(const struct file_reader *file, const struct parameter *p,
                                   uint64_t *offset, mneme_error *error) {
    TRY(file_reader_read(file, *offset, p->data, p->count * sizeof(float), error));
    size_t bad = tensor_first_not_finite(stored_f32(p->data), p->count);
    if (bad < p->count) {
        return error_set(error, MNEME_BAD_INPUT, "%s: byte %llu, `%s`: not a finite number",
                         file->path, (unsigned long long)(*offset + bad * sizeof(float)), p->name);
    }
    *offset += p->count * sizeof(float);
    return MNEME_OK;
}

#define MEMBER(name) offsetof(struct layer, name)

static mneme_status read_weights(const struct file_reader *file, const struct model *model,
                                 mneme_error *error) {
    static const size_t kinds[] = {
        MEMBER(attention_norm), MEMBER(wq), MEMBER(wk), MEMBER(wv), MEMBER(wo),
        MEMBER(ffn_norm),       MEMBER(w1), MEMBER(w2), MEMBER(w3)};
    uint64_t offset = N_FIELDS * sizeof(int32_t);
    TRY(read_parameter(file, model->embedding, &offset, error));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t l = 0; l < model->config.n_layers; l++) {
            const struct parameter *p;
            memcpy(&p, (const char *)&model->layers[l] + kinds[k], sizeof p);
            TRY(read_parameter(file, p, &offset, error));
        }
    }
    TRY(read_parameter(file, model->norm, &offset, error));
    offset += table_count(&model->config) * sizeof(float);
    if (model->config.tied_output) return MNEME_OK;
    return read_parameter(file, model->output, &offset, error);
}

mneme_status foreign_open_llama2c(const char *path, struct model *model, mneme_error *error) {
    struct file_reader file;
    struct model_config config;
    *model = (struct model){0};
    mneme_status status = file_reader_open(&file, path, error);
    THEN(read_config(&file, &config, error));
    THEN(model_describe(&config, model, error));
    THEN(check_size(&file, model, error));
    THEN(model_allocate(model, error));
    THEN(read_weights(&file, model, error));
    if (status != MNEME_OK) model_close(model);
    file_reader_close(&file);
    return status;
}
