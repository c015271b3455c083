#include "interchange/interchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/path.h"
#include "generate/language_model.h"
#include "interchange/foreign.h"
#include "interchange/gguf_files.h"
#include "interchange/hf_files.h"
#include "interchange/peft.h"
#include "interchange/target.h"
#include "smf/model_background.h"
#include "tensor/gguf.h"
#include "tokenizer/tokenizer.h"

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

/* The type of a name that the options give; *as is NULL where they give none. */
static mneme_status find_type(const char *name, enum stored_type *type, const enum stored_type **as,
                              mneme_error *error) {
    static const char *const names[STORED_TYPES] = {
        [STORED_F32] = "f32", [STORED_BF16] = "bf16", [STORED_F16] = "f16"};
    *as = name == NULL ? NULL : type;
    for (*type = 0; name != NULL && *type < STORED_TYPES; ++*type) {
        if (strcmp(names[*type], name) == 0) return MNEME_OK;
    }
    if (name == NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "dtype %s: must be f32, bf16 or f16", name);
}

/* The tokenizer of a folder; NULL: there is none, or *result says why it cannot be used. */
static struct tokenizer *open_tokenizer(const char *folder, const struct model *model,
                                        mneme_interchange_result *result) {
    struct path path = path_in(folder, "tokenizer.json");
    struct tokenizer *tokenizer = NULL;
    mneme_error problem = {0};
    if (!file_is_directory(folder) || !file_exists(path.text)) return NULL;
    mneme_status status = tokenizer_load(path.text, &tokenizer, &problem);
    THEN(language_model_check(tokenizer, model, &problem));
    if (status != MNEME_OK) {
        tokenizer_free(tokenizer);
        tokenizer = NULL;
    }
    snprintf(result->tokenizer_problem, sizeof result->tokenizer_problem, "%.500s",
             problem.message);
    return tokenizer;
}

static void count(const struct model *model, mneme_interchange_result *result) {
    result->n_tensors = model->n_parameters;
    result->n_parameters = model_count(model);
}

/* The tokenizer of the source, and what goes with it, where it can be read. */
static mneme_status import_tokenizer(const char *source, const struct model *model,
                                     const char *folder, mneme_interchange_result *result,
                                     mneme_error *error) {
    struct tokenizer *tokenizer = open_tokenizer(source, model, result);
    if (tokenizer == NULL) return MNEME_OK;
    mneme_status status = tokenizer_save(tokenizer, path_in(folder, "tokenizer.json").text, error);
    THEN(hf_files_import_tokenizer(source, folder, error));
    result->has_tokenizer = status == MNEME_OK;
    tokenizer_free(tokenizer);
    return status;
}

/* What is said of a file in the folder that is being made becomes said of its source. */
static void blame_source(const char *folder, const char *source, mneme_interchange_result *result) {
    char problem[sizeof result->tokenizer_problem];
    size_t n = strlen(folder);
    if (strncmp(result->tokenizer_problem, folder, n) != 0) return;
    snprintf(problem, sizeof problem, "%.200s: %.300s", source, result->tokenizer_problem + n + 1);
    memcpy(result->tokenizer_problem, problem, sizeof problem);
}

/* The tokenizer in a GGUF file, and where its texts end; nothing of one that cannot be read. */
static mneme_status import_gguf_files(const char *source, const struct model *model,
                                      const char *folder, mneme_interchange_result *result,
                                      mneme_error *error) {
    static const char *const names[] = {"tokenizer.json", "tokenizer_config.json",
                                        "generation_config.json"};
    mneme_error problem = {0};
    mneme_status status = gguf_files_import(source, folder, &problem);
    if (status == MNEME_FAILED) return error_set(error, status, "%s", problem.message);
    struct tokenizer *tokenizer = NULL;
    if (status == MNEME_OK) tokenizer = open_tokenizer(folder, model, result);
    if (status != MNEME_OK) {
        snprintf(result->tokenizer_problem, sizeof result->tokenizer_problem, "%.500s",
                 problem.message);
    }
    blame_source(folder, source, result);
    result->has_tokenizer = tokenizer != NULL;
    for (size_t i = 0; tokenizer == NULL && i < sizeof names / sizeof *names; i++) {
        unlink(path_in(folder, "%s", names[i]).text);
    }
    tokenizer_free(tokenizer);
    return MNEME_OK;
}

/* Whether the type that is asked for holds all weights as they are. */
static bool stays_the_same(const struct model *model) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (parameter_own_type(p) != p->file_type) return false;
    }
    return true;
}

/* What is saved from now on in its own type has that one, where it can. */
static void ask_for(const enum stored_type *as, struct model *model) {
    for (size_t i = 0; i < model->n_parameters && as != NULL; i++) {
        model->parameters[i].file_type = *as;
    }
}

/* The background of the source, which must be this model's. Which slots texts read changes with
 * queries and keys that are rounded: then it is left behind. */
static mneme_status import_background(const char *source, const enum stored_type *as,
                                      struct model *model, const char *folder,
                                      mneme_interchange_result *result, mneme_error *error) {
    struct background background;
    if (!file_is_directory(source) || !model_background_exists(source)) return MNEME_OK;
    TRY(model_background_load(&background, model, source, error));
    ask_for(as, model);
    result->lost_background = as != NULL && !stays_the_same(model);
    mneme_status status = result->lost_background
                              ? MNEME_OK
                              : model_background_save(&background, model, folder, error);
    background_close(&background);
    return status;
}

/* What lies beside the weights, from `source`, which the model was read from. */
static mneme_status import_files(const struct model *model, const char *format, const char *source,
                                 const char *folder, mneme_interchange_result *result,
                                 mneme_error *error) {
    const bool is_gguf = strcmp(format, "gguf") == 0;
    return (is_gguf ? import_gguf_files : import_tokenizer)(source, model, folder, result, error);
}

/* Writes the model, in a type or its own, into the folder that is being made. */
static mneme_status import_model(struct model *model, const char *format, const char *source,
                                 const enum stored_type *as, const char *folder,
                                 mneme_interchange_result *result, mneme_error *error) {
    const bool is_hf = strcmp(format, "hf") == 0, is_own = strcmp(format, "mneme") == 0;
    TRY(import_files(model, format, source, folder, result, error));
    TRY(import_background(source, as, model, folder, result, error));
    TRY(model_save_as(model, folder, as, error));
    if (!is_hf && !is_own) return MNEME_OK;
    return hf_files_import_ends(source, is_hf, folder, error);
}

/* Whether a folder's config.json is of mneme's own. */
static bool is_own_folder(const char *path) {
    json_t *config = NULL;
    mneme_error ignored;
    if (json_read_file(path_in(path, "config.json").text, JSON_MAX_BYTES, &config, &ignored) !=
        MNEME_OK) {
        return false;
    }
    const char *type = json_string_value(json_object_get(config, "model_type"));
    const bool own = type != NULL && strcmp(type, "mneme") == 0;
    json_decref(config);
    return own;
}

/* The format that the content of a path shows; llama2.c's files have no mark. */
static const char *seen_format(const char *path) {
    if (!file_is_directory(path)) return gguf_is(path) ? "gguf" : "llama2c";
    if (file_exists(path_in(path, "params.json").text)) return "lingua";
    return is_own_folder(path) ? "mneme" : "hf";
}

static const mneme_interchange_options no_options;

mneme_status interchange_import(const char *format, const char *path, const char *folder,
                                const mneme_interchange_options *options,
                                mneme_interchange_result *result, mneme_error *error) {
    const struct format *from;
    struct target target = {0};
    struct model model = {0};
    enum stored_type type;
    const enum stored_type *as = NULL;
    *result = (mneme_interchange_result){0};
    if (options == NULL) options = &no_options;
    if (format == NULL) format = seen_format(path);
    const char *const sources[2] = {path, options->adapter};
    mneme_status status = find_format(format, &from, error);
    THEN(find_type(options->dtype, &type, &as, error));
    THEN(target_open(&target, folder, sources, options->replace != 0, error));
    THEN(from->open(path, &model, error));
    if (options->adapter != NULL) THEN(peft_merge(options->adapter, &model, error));
    if (status == MNEME_OK) count(&model, result);
    THEN(import_model(&model, format, path, as, target.building.text, result, error));
    THEN(target_finish(&target, error));
    model_close(&model);
    target_close(&target);
    return status;
}

static mneme_status export_hf(const struct model *model, const char *folder,
                              const enum stored_type *as, const char *out,
                              mneme_interchange_result *result, mneme_error *error) {
    struct tokenizer *tokenizer = open_tokenizer(folder, model, result);
    mneme_status status = foreign_save_hf(model, folder, tokenizer, as, out, error);
    THEN(hf_files_export(folder, tokenizer, model->config.max_seq_len, out, error));
    result->has_tokenizer = tokenizer != NULL;
    tokenizer_free(tokenizer);
    return status;
}

static mneme_status export_model(const char *folder, const enum stored_type *as, const char *out,
                                 mneme_interchange_result *result, mneme_error *error) {
    struct model model;
    TRY(model_map(folder, &model, error));
    count(&model, result);
    mneme_status status =
        model.config.memory.n_layers == 0
            ? export_hf(&model, folder, as, out, result, error)
            : error_set(error, MNEME_BAD_INPUT,
                        "%s: layer %zu is a memory layer, which transformers' Llama has not",
                        folder, model.config.memory.layers[0]);
    model_close(&model);
    return status;
}

mneme_status interchange_export(const char *format, const char *folder, const char *out,
                                const mneme_interchange_options *options,
                                mneme_interchange_result *result, mneme_error *error) {
    const char *const sources[2] = {folder, NULL};
    struct target target = {0};
    *result = (mneme_interchange_result){0};
    if (options == NULL) options = &no_options;
    bool is_peft = strcmp(format, "peft") == 0;
    if (strcmp(format, "hf") != 0 && !is_peft) {
        return error_set(error, MNEME_BAD_INPUT, "format %s: must be hf or peft", format);
    }
    enum stored_type type;
    const enum stored_type *as = NULL;
    TRY(find_type(options->dtype, &type, &as, error));
    if (is_peft && as != NULL) {
        return error_set(error, MNEME_BAD_INPUT, "dtype %s: an adapter is written in f32",
                         options->dtype);
    }
    mneme_status status = target_open(&target, out, sources, options->replace != 0, error);
    if (is_peft) {
        THEN(peft_save(folder, target.building.text, result, error));
    } else {
        THEN(export_model(folder, as, target.building.text, result, error));
    }
    THEN(target_finish(&target, error));
    target_close(&target);
    return status;
}
