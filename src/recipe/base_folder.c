#include "recipe/base_folder.h"

#include <string.h>

#include "base/digest.h"
#include "base/json_path.h"
#include "base/path.h"
#include "model/model.h"
#include "tensor/model_digest.h"

#define MAX_FILE_BYTES ((size_t)1 << 30)

static mneme_status put(json_t *inputs, const char *name, const char *hex, mneme_error *error) {
    if (json_object_set_new(inputs, name, json_string(hex)) == 0) return MNEME_OK;
    return error_set_memory(error, "the recipe");
}

static mneme_status put_file(const char *folder, const char *file, json_t *inputs,
                             mneme_error *error) {
    struct digest digest;
    TRY(digest_of_file(path_in(folder, "%s", file).text, MAX_FILE_BYTES, &digest, error));
    return put(inputs, path_in("base", "%s", file).text, digest.hex, error);
}

mneme_status base_folder_digest(const char *folder, json_t *inputs, mneme_error *error) {
    mneme_digest model;
    TRY(put_file(folder, "config.json", inputs, error));
    TRY(put_file(folder, "tokenizer.json", inputs, error));
    TRY(model_digest_path(folder, &model, error));
    mneme_status status = put(inputs, "base", model.sha256, error);
    model_digest_free(&model);
    return status;
}

mneme_status base_folder_begin(const char *folder, struct model_config *config,
                               struct recipe *recipe, mneme_error *error) {
    *config = (struct model_config){0};
    if (folder[0] != '\0') TRY(model_load_config(folder, config, error));
    const struct memory_config defaults = recipe->model.memory;
    recipe->model = *config;
    recipe->model.memory = defaults;
    return MNEME_OK;
}

/* What the base decides is not for the recipe to say. */
static mneme_status check_written(const struct json_place *root, mneme_error *error) {
    for (const struct key *key = NULL;
         (key = keys_next(&recipe_keys, key, OF_NEW_MODEL)) != NULL;) {
        if (key->path == NULL || strcmp(key->path, "model.max_seq_len") == 0) continue;
        if (json_find(root->object, key->path) == NULL) continue;
        return json_refuse(root, key->path, error, "is decided by the `base`");
    }
    return MNEME_OK;
}

mneme_status base_folder_end(const struct json_place *root, const struct model_config *config,
                             struct recipe *recipe, mneme_error *error) {
    const struct model_config read = recipe->model;
    recipe->model.vocab_size = config->vocab_size;
    TRY(check_written(root, error));
    if (recipe->base[0] == '\0') return MNEME_OK;
    if (read.max_seq_len > config->max_seq_len) {
        return json_refuse(root, "model.max_seq_len", error, "must be at most the base's, %zu",
                           config->max_seq_len);
    }
    if (read.memory.n_layers > 0 && config->memory.n_layers > 0) {
        return json_refuse(root, "model.memory", error, "the `base` has a memory already");
    }
    recipe->model = *config;
    recipe->model.max_seq_len = read.max_seq_len;
    if (read.memory.n_layers > 0) recipe->model.memory = read.memory;
    return MNEME_OK;
}
