#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "model/config.h"
#include "nn/matmul_backend.h"
#include "smf/sparse_step.h"
#include "train/schedule.h"

/* A recipe: everything that decides a run's numbers. */

#define RECIPE_MAX_VALUES 16

/* The learning rates that a method is tried with: one run each. */
struct recipe_rates {
    bool enabled; /* the recipe has the method */
    float lr[RECIPE_MAX_VALUES];
    size_t n_lr;
};

/* Which texts TF-IDF and KL selection compare a batch with. */
enum background_source { BACKGROUND_PRETRAINING, BACKGROUND_KNOWN, BACKGROUND_SOURCE_COUNT };

/* "pretraining", "known" */
extern const char *const background_source_names[BACKGROUND_SOURCE_COUNT];

/* keys.def, whose objects are structs: recipe.finetune is a struct recipe_finetune, and its member
 * smf a struct recipe_smf with `rates` first. model.vocab_size is that of the recipe's tokenizer,
 * and the trained tokenizer's once there is one. */
struct recipe {
    char *path; /* for messages */
#define STRING(object, key, flags, documentation) char *key;
#define PATH(object, key, flags, documentation) char *key;
#define SIZE(object, key, initial, low, high, flags, documentation) size_t key;
#define FLOAT(object, key, initial, low, high, flags, documentation) float key;
#define BOOL(object, key, initial, flags, documentation) bool key;
#define CHOICE(object, key, type, names, count, initial, flags, documentation) \
    type key;                                                                  \
    _Static_assert(sizeof(type) == sizeof(int), "a key_table takes it for an int");
#define OBJECT(name, flags, documentation) struct recipe_##name {
#define METHOD(name, flags, documentation) \
    struct recipe_##name {                 \
        struct recipe_rates rates;
#define END(name) \
    }             \
    name;
#define MODEL(name, documentation) struct model_config name;
#define OTHER(key, documentation)
#include "recipe/keys.def"
};

/* Reads a recipe file, with those that it `extends` (recipe_file.h), and applies the overrides
 * ("pretrain.steps=100", recipe_overrides.h). Unknown keys, wrong types, values out of range and
 * sizes that do not fit each other are refused with MNEME_BAD_INPUT; the message names file and
 * dotted key. A relative path in the recipe is resolved against the working directory, and where
 * nothing is there against the recipe's own folder and then `data/` (so that a recipe runs from
 * anywhere). */
mneme_status recipe_load(const char *path, const char *const *overrides, size_t n_overrides,
                         struct recipe *recipe, mneme_error *error);
/* The same of an object that recipe_file_read made of the file at `path`. */
mneme_status recipe_from_json(const json_t *object, const char *path, struct recipe *recipe,
                              mneme_error *error);
void recipe_free(struct recipe *recipe);

/* The recipe with every default filled in; the same text for the same recipe. The caller owns it;
 * NULL without memory. */
json_t *recipe_to_json(const struct recipe *recipe);

#endif
