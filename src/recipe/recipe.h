#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/key_table.h"
#include "model/config.h"
#include "nn/adamw.h"
#include "nn/matmul_backend.h"
#include "smf/sparse_step.h"
#include "train/optimizer.h"
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

/* Which tokens of a new question's wordings are learned. */
enum loss_target { LOSS_ON_TEXT, LOSS_ON_ANSWER, LOSS_TARGET_COUNT };

/* "text", "answer" */
extern const char *const loss_target_names[LOSS_TARGET_COUNT];

/* keys.def, whose objects are structs: recipe.finetune is a struct recipe_finetune, and its member
 * smf a struct recipe_smf with `rates` first. model.vocab_size is that of the recipe's tokenizer,
 * and the trained tokenizer's once there is one. */
struct recipe {
    char *path; /* for messages */
#define STRING(object, key, flags, documentation) char *key;
#define PATH(object, key, flags, documentation) char *key;
#define PATHS(object, key, flags, documentation) struct key_strings key;
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

/* keys.def as a table over struct recipe. */
extern const struct key_table recipe_keys;

/* The paths of a row that is IS_INPUT, *n of them; they may be replaced by malloc'ed ones. */
char **recipe_input_paths(const struct recipe *recipe, const struct key *key, size_t *n);

/* Flags of its rows. */
enum {
    IS_INPUT = KEY_FIRST_OWN, /* paths of files: what those hold makes the run, not their names */
    IS_METHOD = 1 << 3,       /* an object of `finetune` with a struct recipe_rates */
    OF_WORLD = 1 << 4,        /* only where `corpus.world` is given */
    OF_QUESTIONS = 1 << 5,    /* only where it is not */
    OF_DOCUMENTS = 1 << 6,    /* only where `corpus.new_subjects` is above 0 */
    NEEDS_MEMORY = 1 << 7,    /* refused of a model without memory */
    NOT_OF_BASE = 1 << 8,     /* does not decide the base model and its scores */
    OF_CELL = 1 << 9,         /* decides what a sweep's cell does with the base model … */
    CHANGES_NO_NUMBER = 1 << 10, /* … but for these: how often it is looked at */
    OF_NEW_MODEL = 1 << 11,      /* decided by the `base` where there is one */
    CHANGES_NO_BIT = 1 << 12,    /* with another value it is the same run */
};

#endif
