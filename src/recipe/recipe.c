/* The table of the recipe's keys, which everything else about them loops over. */

#include "recipe/recipe.h"

#include <stdint.h>

#define MANY 0x1p40 /* a bound for counts that have no other */
#define LARGE 1e30f

const char *const loss_target_names[LOSS_TARGET_COUNT] = {"text", "answer"};
const char *const background_source_names[BACKGROUND_SOURCE_COUNT] = {"pretraining", "known"};

static size_t number_of_last_layer(const void *recipe) {
    return ((const struct recipe *)recipe)->model.n_layers - 1;
}

static size_t shots_of_known(const void *recipe) {
    return ((const struct recipe *)recipe)->evaluate.shots;
}

static const struct key_default as_many_as_shots = {.text = "`shots`", .value = shots_of_known};
static const struct key_default last_of_model = {.text = "the last", .value = number_of_last_layer};

static size_t pretraining_checkpoints(const void *recipe) {
    return ((const struct recipe *)recipe)->pretrain.checkpoint_activations;
}

static const struct key_default as_in_pretraining = {.text = "as in `pretrain`",
                                                     .value = pretraining_checkpoints};

#define AT(member) offsetof(struct recipe, member)
#define CONFIG_OWNER AT(model)
#define CONFIG_SHAPE OF_NEW_MODEL
#define NAMES(recipe, hf, lingua) recipe

#define STRING(object, key, flags, documentation) \
    {KEY_AT(#object #key, KEY_STRING, AT(object key), flags, documentation)},
#define PATH(object, key, flags, documentation) \
    STRING(object, key, KEY_MAY_LACK | IS_INPUT | (flags), documentation)
#define PATHS(object, key, flags, documentation)                                          \
    {KEY_AT(#object #key, KEY_STRINGS, AT(object key), KEY_MAY_LACK | IS_INPUT | (flags), \
            documentation)},
#define SIZE(object, key, initial, low, high, flags, documentation)                      \
    KEY_NUMBER_ROW(#object #key, KEY_SIZE, AT(object key), 0, initial, low, high, flags, \
                   documentation),
#define FLOAT(object, key, initial, low, high, flags, documentation)                      \
    KEY_NUMBER_ROW(#object #key, KEY_FLOAT, AT(object key), 0, initial, low, high, flags, \
                   documentation),
#define BOOL(object, key, initial, flags, documentation) \
    KEY_BOOL_ROW(#object #key, AT(object key), 0, initial, flags, documentation),
#define CHOICE(object, key, type, names_, count, initial_, flags, documentation)                \
    {KEY_AT(#object #key, KEY_CHOICE, AT(object key), flags, documentation), .names = (names_), \
     .n_names = (count), .high = (count)-1, initial_},
#define OBJECT(name, flags, documentation) {KEY_AT(#name, KEY_OBJECT, 0, flags, documentation)},
#define METHOD(name, flags, documentation)                                            \
    {KEY_AT("finetune." #name, KEY_OBJECT, AT(finetune.name.rates),                   \
            KEY_MAY_LACK | IS_METHOD | (flags), documentation)},                      \
        KEY_LIST_ROW("finetune." #name ".lr", KEY_FLOATS, AT(finetune.name.rates.lr), \
                     AT(finetune.name.rates.n_lr), RECIPE_MAX_VALUES, 1e-30f, LARGE,  \
                     "learning rates, ascending: one run each"),
#define END(name)
#define MODEL(name, documentation) OBJECT(name, 0, documentation)
#define OTHER(key, documentation) {KEY_AT(#key, KEY_OTHER, 0, 0, documentation)},

static const struct key rows[] = {
#include "recipe/keys.def"
};

const struct key_table recipe_keys = {rows, sizeof rows / sizeof *rows};

char **recipe_input_paths(const struct recipe *recipe, const struct key *key, size_t *n) {
    void *value = (char *)(uintptr_t)recipe + key->offset;
    if (key->type == KEY_STRINGS) {
        const struct key_strings *strings = value;
        *n = strings->n;
        return strings->texts;
    }
    char **path = value;
    *n = *path == NULL ? 0 : 1;
    return path;
}
