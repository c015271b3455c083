#include "recipe/recipe_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_path.h"
#include "base/path.h"
#include "base/text.h"
#include "data/asking.h"
#include "recipe/base_folder.h"
#include "recipe/recipe_file.h"
#include "recipe/recipe_inputs.h"

/* The name goes into file names, reports and plots. */
static mneme_status check_name(const struct json_place *root, const char *name,
                               mneme_error *error) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(name);
    if (length >= 1 && length <= 64 && strspn(name, allowed) == length) return MNEME_OK;
    return json_refuse(root, "name", error, "must be 1 to 64 letters, digits, `-`, `_` or `.`");
}

/* Facts and their texts come from a world, or from three files of questions, which may be fewer
 * beside a text corpus. */
static mneme_status check_corpus(const struct json_place *root, const struct recipe_corpus *corpus,
                                 mneme_error *error) {
    const bool has_text = corpus->text.n > 0;
    const bool has_both = corpus->world != NULL && corpus->known != NULL;
    if (has_both || (corpus->world == NULL && corpus->known == NULL && !has_text)) {
        return json_refuse(root, "corpus.world", error,
                           "give either `world` or `known`, `new` and `skill`, or `text`");
    }
    if (corpus->known != NULL && !has_text && (corpus->new == NULL || corpus->skill == NULL)) {
        return json_refuse(root, "corpus.known", error,
                           "goes together with `new` and `skill`, or with `text`");
    }
    if (corpus->world != NULL && corpus->wordings != NULL) {
        return json_refuse(root, "corpus.wordings", error, "is for files of questions");
    }
    if (corpus->world == NULL && corpus->new_subjects > 0) {
        return json_refuse(root, "corpus.new_subjects", error, "needs a `world`");
    }
    return MNEME_OK;
}

/* A model that is not there yet cannot be asked. */
static mneme_status check_new(const struct json_place *root, const struct recipe *recipe,
                              mneme_error *error) {
    const struct recipe_corpus *corpus = &recipe->corpus;
    if (!corpus->new_unknown || (recipe->base != NULL && corpus->new != NULL)) return MNEME_OK;
    return json_refuse(root, "corpus.new_unknown", error, "needs a `base` and `corpus.new`");
}

/* Whether there is something to teach. */
static bool has_facts(const struct recipe *recipe) {
    return recipe->corpus.world != NULL || recipe->corpus.new != NULL;
}

static mneme_status check_prompt(const struct json_place *root, const char *prompt,
                                 mneme_error *error) {
    char place[256];
    struct asking asking;
    snprintf(place, sizeof place, "%.200s: key `evaluate.prompt`", root->place);
    TRY(asking_read(prompt, place, &asking, error));
    asking_free(&asking);
    return MNEME_OK;
}

static mneme_status check_lora(const struct json_place *root, const struct recipe *recipe,
                               mneme_error *error) {
    const struct recipe_lora *lora = &recipe->finetune.lora;
    size_t last = recipe->model.n_layers - 1;
    if (!lora->rates.enabled) return MNEME_OK;
    if (lora->last_layer > last) {
        return json_refuse(root, "finetune.lora.last_layer", error, "must be at most %zu", last);
    }
    if (lora->first_layer <= lora->last_layer) return MNEME_OK;
    return json_refuse(root, "finetune.lora.first_layer", error, "must be at most %zu",
                       lora->last_layer);
}

/* Lingua's (warmup / step)^exp_factor begins where a warmup ends. */
static mneme_status check_schedule(const struct json_place *root,
                                   const struct recipe_pretrain *pretrain, mneme_error *error) {
    bool needs_warmup = pretrain->schedule == SCHEDULE_INVERSE_SQRT &&
                        pretrain->schedule_rule == SCHEDULE_OF_LINGUA;
    if (!needs_warmup || pretrain->warmup > 0) return MNEME_OK;
    return json_refuse(root, "pretrain.warmup", error,
                       "must be at least 1 for `lingua`'s `inverse_sqrt`");
}

/* What is asked for and works on memories alone. */
static mneme_status check_memory(const struct json_place *root, const struct recipe *recipe,
                                 mneme_error *error) {
    if (recipe->model.memory.n_layers > 0) return MNEME_OK;
    for (const struct key *key = NULL;
         (key = keys_next(&recipe_keys, key, NEEDS_MEMORY)) != NULL;) {
        const json_t *found = json_find(root->object, key->path);
        if (json_is_object(found) || json_is_true(found)) {
            return json_refuse(root, key->path, error, "needs a model with `model.memory`");
        }
    }
    return MNEME_OK;
}

/* Which methods there are: at least one, where there is something to teach. */
static mneme_status enable_methods(const struct json_place *root, struct recipe *recipe,
                                   mneme_error *error) {
    char names[256] = "";
    size_t used = 0, n_enabled = 0;
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_METHOD)) != NULL;) {
        struct recipe_rates *rates = (void *)((char *)recipe + key->offset);
        rates->enabled = rates->n_lr > 0;
        n_enabled += rates->enabled;
        used += (size_t)snprintf(names + used, sizeof names - used, " `%s`", key_name(key));
    }
    if (!has_facts(recipe) && n_enabled > 0) {
        return json_refuse(root, "finetune", error, "needs `corpus.new` or a `corpus.world`");
    }
    if (n_enabled > 0 || !has_facts(recipe)) return MNEME_OK;
    return json_refuse(root, "finetune", error, "needs one of%s", names);
}

/* Whether a complaint is one that reading would repeat. */
static bool is_wrong_object(const mneme_error *error) {
    return strstr(error->message, "must be an object") != NULL;
}

/* All that is wrong with a recipe, whose checks go on after the first complaint. */
struct complaints {
    mneme_error all;
    const char *place;
};

/* Keeps what a check found. */
static void note(struct complaints *complaints, mneme_status status, const mneme_error *one) {
    if (status == MNEME_OK) return;
    error_join(&complaints->all, one, complaints->place);
}

/* A model whose numbers are drawn needs training. */
static mneme_status check_pretraining(const struct json_place *root, const struct recipe *recipe,
                                      mneme_error *error) {
    const struct recipe_pretrain *pretrain = &recipe->pretrain;
    if (pretrain->steps == 0 && recipe->base == NULL) {
        return json_refuse(root, "pretrain.steps", error, "must be at least 1 without a `base`");
    }
    if (pretrain->train == TRAIN_ALL || recipe->model.memory.n_layers > 0) return MNEME_OK;
    return json_refuse(root, "pretrain.train", error, "needs a model with `model.memory`");
}

/* Whether the recipe has a base that is not looked at, of which it knows too little to check. */
static bool has_unknown_base(const struct recipe *recipe) {
    return recipe->base != NULL && recipe->base[0] == '\0';
}

/* What no range can say. Checks of a part's sizes need one that was read without a complaint. */
static void check(const struct json_place *root, struct recipe *recipe,
                  struct complaints *complaints) {
    mneme_error one = {0};
    const bool is_model_read = strstr(complaints->all.message, "`model") == NULL;
    if (recipe->name != NULL) note(complaints, check_name(root, recipe->name, &one), &one);
    note(complaints, check_corpus(root, &recipe->corpus, &one), &one);
    note(complaints, check_new(root, recipe, &one), &one);
    note(complaints, check_prompt(root, recipe->evaluate.prompt, &one), &one);
    note(complaints, check_schedule(root, &recipe->pretrain, &one), &one);
    const bool are_methods_read = strstr(complaints->all.message, "`finetune") == NULL;
    mneme_status methods_status = enable_methods(root, recipe, &one);
    if (are_methods_read) note(complaints, methods_status, &one);
    if (!is_model_read || has_unknown_base(recipe)) return;
    note(complaints, check_pretraining(root, recipe, &one), &one);
    note(complaints, check_memory(root, recipe, &one), &one);
    mneme_status status = model_config_check(&recipe->model, CONFIG_OF_RECIPE, root->place, &one);
    note(complaints, status, &one);
    if (status == MNEME_OK) note(complaints, check_lora(root, recipe, &one), &one);
}

/* Reads the keys; all but the memory of a model that the recipe has from its base. */
static mneme_status read_keys(const struct json_place *root, unsigned without,
                              struct recipe *recipe, mneme_error *error) {
    const char *base = json_string_value(json_find(root->object, "base"));
    struct model_config config;
    if (base == NULL) return keys_read(&recipe_keys, root, without, recipe, error);
    char *folder = strdup(base);
    mneme_status status = folder == NULL ? error_set_memory(error, "the recipe") : MNEME_OK;
    if (*base != '\0') THEN(recipe_find_input(&folder, recipe->path, error));
    THEN(base_folder_begin(folder, &config, recipe, error));
    free(folder);
    THEN(keys_read(&recipe_keys, root, without | OF_NEW_MODEL, recipe, error));
    THEN(base_folder_end(root, &config, recipe, error));
    return status;
}

/* Whether the recipe has a base that could not be read, without which nothing else can be said. */
static bool lacks_base(const json_t *object, const struct recipe *recipe) {
    const char *base = json_string_value(json_find(object, "base"));
    return base != NULL && *base != '\0' && recipe->model.dim == 0;
}

/* All complaints at once. */
static mneme_status read(const json_t *object, struct recipe *recipe, mneme_error *error) {
    struct json_place root;
    struct complaints complaints = {.place = recipe->path};
    mneme_error one = {0};
    bool has_world = json_find(object, "corpus.world") != NULL;
    TRY(json_place_root(object, recipe->path, &root, error));
    note(&complaints, keys_check_known(&recipe_keys, &root, &one), &one);
    if (complaints.all.status == MNEME_OK || !is_wrong_object(&complaints.all)) {
        unsigned without = has_world ? 0 : OF_WORLD;
        note(&complaints, read_keys(&root, without, recipe, &one), &one);
    }
    if (recipe->model.memory.n_layers == 0) recipe->model.memory = (struct memory_config){0};
    if (recipe->base == NULL) recipe->model.vocab_size = recipe->tokenizer.vocab_size;
    if (!lacks_base(object, recipe)) check(&root, recipe, &complaints);
    if (complaints.all.status != MNEME_OK && error != NULL) *error = complaints.all;
    return complaints.all.status;
}

static mneme_status find_files(struct recipe *recipe, mneme_error *error) {
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        size_t n;
        char **paths = recipe_input_paths(recipe, key, &n);
        for (size_t i = 0; i < n; i++) TRY(recipe_find_input(&paths[i], recipe->path, error));
    }
    return MNEME_OK;
}

mneme_status recipe_from_json(const json_t *object, const char *path, struct recipe *recipe,
                              mneme_error *error) {
    *recipe = (struct recipe){.path = strdup(path)};
    if (recipe->path == NULL) return error_set_memory(error, "the recipe");
    keys_set_defaults(&recipe_keys, recipe);
    mneme_status status = read(object, recipe, error);
    THEN(find_files(recipe, error));
    if (status != MNEME_OK) recipe_free(recipe);
    return status;
}

mneme_status recipe_load(const char *path, const char *const *overrides, size_t n_overrides,
                         struct recipe *recipe, mneme_error *error) {
    json_t *object = NULL;
    *recipe = (struct recipe){0};
    mneme_status status = recipe_file_read(path, overrides, n_overrides, &object, error);
    THEN(recipe_from_json(object, path, recipe, error));
    json_decref(object);
    return status;
}

void recipe_free(struct recipe *recipe) {
    free(recipe->path);
    keys_free(&recipe_keys, recipe);
    *recipe = (struct recipe){0};
}

json_t *recipe_to_json(const struct recipe *recipe) {
    unsigned without = recipe->corpus.world != NULL ? OF_QUESTIONS : OF_WORLD;
    if (recipe->base != NULL) without |= OF_NEW_MODEL;
    if (recipe->corpus.new_subjects == 0) without |= OF_DOCUMENTS;
    json_t *object = json_object();
    int failed = keys_write(&recipe_keys, recipe, without, object);
    if (recipe->base != NULL) {
        json_t *length = json_integer((json_int_t)recipe->model.max_seq_len);
        failed |= json_put(object, "model.max_seq_len", length);
    }
    if (failed == 0) return object;
    json_decref(object);
    return NULL;
}
