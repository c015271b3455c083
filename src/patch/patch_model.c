#include "patch/patch_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rehearsal.h"
#include "interchange/target.h"
#include "patch/patch_file.h"
#include "smf/model_background.h"

/* What lies beside a model's weights and goes with them, whatever the weights are. */
static const char *const files_beside[] = {"tokenizer.json", "tokenizer_config.json",
                                           "special_tokens_map.json", "generation_config.json",
                                           "chat_template.jinja"};

/* More than any of these files has. */
#define MAX_BESIDE ((size_t)1 << 28)

mneme_status patch_base_digest(const struct model *model, bool carries_memory,
                               struct digest *digest, mneme_error *error) {
    size_t n = 0;
    *digest = (struct digest){0};
    if (rehearsal_is_on()) return MNEME_OK;
    struct parameter **list = calloc(model->n_parameters + 1, sizeof *list);
    if (list == NULL) return error_set_memory(error, "a digest");
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if (!carries_memory || (p->roles & ROLE_MEMORY) == 0) list[n++] = p;
    }
    mneme_status status = parameter_digest_list(n, list, digest, error);
    free(list);
    return status;
}

/* The parameters that the patch carries, into a model with its memory. */
static mneme_status take_carried(const struct patch *patch, const char *folder, struct model *model,
                                 mneme_error *error) {
    const struct model *from = &patch->memory;
    bool fits = from->n_parameters == model->n_parameters;
    for (size_t i = 0; i < model->n_parameters && fits; i++) {
        struct parameter *p = &model->parameters[i];
        if (!patch_carries(p)) continue;
        fits = from->parameters[i].data != NULL && from->parameters[i].count == p->count;
        if (fits) memcpy(p->data, from->parameters[i].data, p->count * sizeof *p->data);
    }
    if (fits) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: has other sizes than the model that the patch is for", folder);
}

/* Opens a model without a memory with the one that the patch carries, still empty. */
static mneme_status load_extended(const struct patch *patch, const char *folder,
                                  struct model *model, mneme_error *error) {
    TRY(model_load_with_memory(folder, &patch->memory.config.memory, model, error));
    return take_carried(patch, folder, model, error);
}

/* The patch's rows are rows of the model's tables. */
static mneme_status check_tables(const struct patch *patch, const char *path,
                                 const struct model *model, mneme_error *error) {
    bool fit = model->config.memory.n_layers > 0 && model->n_tables == patch->tables.n &&
               model_n_slots(&model->config) == patch->n_slots &&
               patch_width(&model->config) == patch->width;
    if (fit) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: the model has other value tables than the patch",
                     path);
}

static mneme_status load_patched(const struct patch *patch, const char *path, const char *folder,
                                 struct model *model, mneme_error *error) {
    struct digest digest;
    TRY(patch->carries_memory ? load_extended(patch, folder, model, error)
                              : model_map(folder, model, error));
    TRY(patch_base_digest(model, patch->carries_memory, &digest, error));
    model_forget_files(model);
    if (!rehearsal_is_on()) TRY(patch_check_fits(patch, path, &digest, error));
    TRY(check_tables(patch, path, model, error));
    return patch_put_rows(patch, model, error);
}

mneme_status patch_model_load(const char *folder, const char *path, struct model *model,
                              struct patch *kept, mneme_error *error) {
    struct patch patch = {0};
    *model = (struct model){0};
    if (kept != NULL) *kept = (struct patch){0};
    if (path == NULL) return model_map(folder, model, error);
    mneme_status status = patch_load(&patch, path, error);
    THEN(load_patched(&patch, path, folder, model, error));
    if (status != MNEME_OK) model_close(model);
    if (status == MNEME_OK && kept != NULL) {
        *kept = patch;
    } else {
        patch_close(&patch);
    }
    return status;
}

mneme_status patch_language_open(struct language_model *language, const char *folder,
                                 const char *path, mneme_error *error) {
    *language = (struct language_model){0};
    TRY(patch_model_load(folder, path, &language->model, NULL, error));
    return language_model_open_texts(language, folder, error);
}

static mneme_status copy_file(const char *from, const char *to, const char *name,
                              mneme_error *error) {
    const struct path source = path_in(from, "%s", name);
    char *bytes = NULL;
    size_t length = 0;
    if (!file_exists(source.text)) return MNEME_OK;
    mneme_status status = file_read(source.text, MAX_BESIDE, &bytes, &length, error);
    THEN(file_write_atomic(path_in(to, "%s", name).text, bytes, length, error));
    free(bytes);
    return status;
}

/* The background goes with the memory: the patch's, or the folder's. */
static mneme_status merge_background(const struct patch *patch, const struct model *model,
                                     const char *folder, const char *to, mneme_error *error) {
    if (patch->background.n_slots == 0) {
        return copy_file(folder, to, MODEL_BACKGROUND_FILE, error);
    }
    return model_background_save(&patch->background, model, to, error);
}

static mneme_status write_merged(const struct patch *patch, const struct model *model,
                                 const char *folder, const char *to, mneme_error *error) {
    for (size_t i = 0; i < sizeof files_beside / sizeof *files_beside; i++) {
        TRY(copy_file(folder, to, files_beside[i], error));
    }
    TRY(merge_background(patch, model, folder, to, error));
    return model_save(model, to, error);
}

mneme_status patch_model_merge(const char *folder, const char *path, const char *out,
                               mneme_error *error) {
    struct target target = {0};
    struct model model = {0};
    struct patch patch = {0};
    const char *const sources[2] = {folder, path};
    mneme_status status = target_open(&target, out, sources, false, error);
    THEN(patch_model_load(folder, path, &model, &patch, error));
    THEN(write_merged(&patch, &model, folder, target.building.text, error));
    THEN(target_finish(&target, error));
    target_close(&target);
    model_close(&model);
    patch_close(&patch);
    return status;
}
