#include "interchange/interchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "data/tokenizer.h"
#include "interchange/foreign.h"

static const struct format {
    const char *name;
    mneme_status (*open)(const char *path, struct model *model, mneme_error *error);
} formats[] = {
    {"hf", foreign_open_hf},
    {"lingua", foreign_open_lingua},
    {"llama2c", foreign_open_llama2c},
};

static const struct format *find_format(const char *name) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(formats[i].name, name) == 0) return &formats[i];
    }
    return NULL;
}

/* The tokenizer of a folder, or NULL: there is none, or *result says why it cannot be used. */
static mneme_status open_tokenizer(const char *folder, const struct model *model,
                                   struct tokenizer **tokenizer, mneme_interchange_result *result,
                                   mneme_error *error) {
    *tokenizer = NULL;
    char *path = path_join(folder, "tokenizer.json");
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_error problem = {0};
    if (file_is_directory(folder) && file_exists(path)) {
        mneme_status status = tokenizer_load(path, tokenizer, &problem);
        size_t n = status == MNEME_OK ? tokenizer_vocab_size(*tokenizer) : 0;
        if (n > model->config.vocab_size) {
            error_set(&problem, MNEME_BAD_INPUT,
                      "%s: %zu tokens, but the model's vocab_size is %zu", path, n,
                      model->config.vocab_size);
            tokenizer_free(*tokenizer);
            *tokenizer = NULL;
        }
        snprintf(result->tokenizer_problem, sizeof result->tokenizer_problem, "%.500s",
                 problem.message);
    }
    free(path);
    return MNEME_OK;
}

/* FOLDER/tokenizer.json; does nothing for NULL. */
static mneme_status save_tokenizer(const struct tokenizer *tokenizer, const char *folder,
                                   mneme_interchange_result *result, mneme_error *error) {
    if (tokenizer == NULL) return MNEME_OK;
    char *path = path_join(folder, "tokenizer.json");
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_status status = directory_make(folder, error);
    if (status == MNEME_OK) status = tokenizer_save(tokenizer, path, error);
    free(path);
    result->has_tokenizer = status == MNEME_OK;
    return status;
}

static void count(const struct model *model, mneme_interchange_result *result) {
    result->n_tensors = model->n_parameters;
    result->n_parameters = model_count(model);
}

mneme_status interchange_import(const char *format, const char *path, const char *folder,
                                mneme_interchange_result *result, mneme_error *error) {
    *result = (mneme_interchange_result){0};
    const struct format *from = find_format(format);
    if (from == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "format %s: must be hf, lingua or llama2c",
                         format);
    }
    struct model model = {0};
    struct tokenizer *tokenizer = NULL;
    mneme_status status = from->open(path, &model, error);
    if (status != MNEME_OK) return status;
    count(&model, result);
    status = open_tokenizer(path, &model, &tokenizer, result, error);
    if (status == MNEME_OK) status = save_tokenizer(tokenizer, folder, result, error);
    if (status == MNEME_OK) status = model_save(&model, folder, error);
    tokenizer_free(tokenizer);
    model_close(&model);
    return status;
}

mneme_status interchange_export(const char *format, const char *folder, const char *out,
                                mneme_interchange_result *result, mneme_error *error) {
    *result = (mneme_interchange_result){0};
    if (strcmp(format, "hf") != 0) {
        return error_set(error, MNEME_BAD_INPUT, "format %s: must be hf", format);
    }
    struct model model;
    struct tokenizer *tokenizer = NULL;
    mneme_status status = model_load(folder, &model, error);
    if (status != MNEME_OK) return status;
    count(&model, result);
    if (model.config.memory.n_layers > 0) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s: layer %zu is a memory layer, which transformers' Llama has not",
                           folder, model.config.memory.layers[0]);
    }
    if (status == MNEME_OK) status = open_tokenizer(folder, &model, &tokenizer, result, error);
    if (status == MNEME_OK) status = save_tokenizer(tokenizer, out, result, error);
    if (status == MNEME_OK) {
        int start = tokenizer == NULL ? -1 : (int)tokenizer_start_of_text(tokenizer);
        int end = tokenizer == NULL ? -1 : (int)tokenizer_end_of_text(tokenizer);
        status = foreign_save_hf(&model, out, start, end, error);
    }
    tokenizer_free(tokenizer);
    model_close(&model);
    return status;
}
