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
#define FORMAT(name) {#name, foreign_open_##name},
#include "interchange/formats.def"
#undef FORMAT
};

#define N_FORMATS (sizeof formats / sizeof *formats)

/* Refuses a name that no format has, listing those that there are. */
static mneme_status find_format(const char *name, const struct format **format,
                                mneme_error *error) {
    char names[256] = "";
    for (size_t i = 0; i < N_FORMATS; i++) {
        *format = &formats[i];
        if (strcmp(formats[i].name, name) == 0) return MNEME_OK;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s",
                 i == 0 ? "" : (i + 1 < N_FORMATS ? ", " : " or "), formats[i].name);
    }
    return error_set(error, MNEME_BAD_INPUT, "format %s: must be %s", name, names);
}

/* The tokenizer of a folder; NULL: there is none, or *result says why it cannot be used. */
static struct tokenizer *open_tokenizer(const char *folder, const struct model *model,
                                        mneme_interchange_result *result) {
    struct path path = path_in(folder, "tokenizer.json");
    struct tokenizer *tokenizer = NULL;
    mneme_error problem = {0};
    if (!file_is_directory(folder) || !file_exists(path.text)) return NULL;
    mneme_status status = tokenizer_load(path.text, &tokenizer, &problem);
    size_t n = status == MNEME_OK ? tokenizer_vocab_size(tokenizer) : 0;
    if (n > model->config.vocab_size) {
        error_set(&problem, MNEME_BAD_INPUT, "%s: %zu tokens, but the model's vocab_size is %zu",
                  path.text, n, model->config.vocab_size);
        tokenizer_free(tokenizer);
        tokenizer = NULL;
    }
    snprintf(result->tokenizer_problem, sizeof result->tokenizer_problem, "%.500s",
             problem.message);
    return tokenizer;
}

/* FOLDER/tokenizer.json; does nothing for NULL. */
static mneme_status save_tokenizer(const struct tokenizer *tokenizer, const char *folder,
                                   mneme_interchange_result *result, mneme_error *error) {
    if (tokenizer == NULL) return MNEME_OK;
    TRY(directory_make(folder, error));
    TRY(tokenizer_save(tokenizer, path_in(folder, "tokenizer.json").text, error));
    result->has_tokenizer = true;
    return MNEME_OK;
}

static void count(const struct model *model, mneme_interchange_result *result) {
    result->n_tensors = model->n_parameters;
    result->n_parameters = model_count(model);
}

mneme_status interchange_import(const char *format, const char *path, const char *folder,
                                mneme_interchange_result *result, mneme_error *error) {
    *result = (mneme_interchange_result){0};
    const struct format *from;
    TRY(find_format(format, &from, error));
    struct model model = {0};
    TRY(from->open(path, &model, error));
    count(&model, result);
    struct tokenizer *tokenizer = open_tokenizer(path, &model, result);
    mneme_status status = save_tokenizer(tokenizer, folder, result, error);
    THEN(model_save(&model, folder, error));
    tokenizer_free(tokenizer);
    model_close(&model);
    return status;
}

static mneme_status export_model(const struct model *model, const char *folder, const char *out,
                                 mneme_interchange_result *result, mneme_error *error) {
    if (model->config.memory.n_layers > 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: layer %zu is a memory layer, which transformers' Llama has not",
                         folder, model->config.memory.layers[0]);
    }
    struct tokenizer *tokenizer = open_tokenizer(folder, model, result);
    mneme_status status = save_tokenizer(tokenizer, out, result, error);
    int start = tokenizer == NULL ? -1 : (int)tokenizer_start_of_text(tokenizer);
    int end = tokenizer == NULL ? -1 : (int)tokenizer_end_of_text(tokenizer);
    THEN(foreign_save_hf(model, out, start, end, error));
    tokenizer_free(tokenizer);
    return status;
}

mneme_status interchange_export(const char *format, const char *folder, const char *out,
                                mneme_interchange_result *result, mneme_error *error) {
    *result = (mneme_interchange_result){0};
    if (strcmp(format, "hf") != 0) {
        return error_set(error, MNEME_BAD_INPUT, "format %s: must be hf", format);
    }
    struct model model;
    TRY(model_load(folder, &model, error));
    count(&model, result);
    mneme_status status = export_model(&model, folder, out, result, error);
    model_close(&model);
    return status;
}
