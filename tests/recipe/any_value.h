#ifndef TESTS_RECIPE_ANY_VALUE_H
#define TESTS_RECIPE_ANY_VALUE_H

#include <check.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/json_path.h"
#include "base/json_read.h"
#include "recipe/recipe.h"
#include "recipe/recipe_file.h"
#include "tests/assertions.h"

/* Values for any key of keys.def, in a recipe that takes it. */

#define RECIPE "data/recipes/nano.json"

/* nano as JSON, changed so that the key means something: questions, documents. */
static inline json_t *recipe_with(const struct key *key) {
    json_t *recipe;
    mneme_error error = {0};
    assert_ok(recipe_file_read(RECIPE, NULL, 0, &recipe, &error), &error);
    json_put(recipe, "model.memory.n_keys", json_integer(64)); /* room for knn's default */
    bool is_questions = (key->flags & OF_QUESTIONS) != 0 ||
                        ((key->flags & IS_INPUT) != 0 && strcmp(key_name(key), "world") != 0);
    if (is_questions) {
        json_remove(recipe, "corpus.world");
        json_put(recipe, "corpus.known", json_string(RECIPE));
        json_put(recipe, "corpus.new", json_string(RECIPE));
        json_put(recipe, "corpus.skill", json_string(RECIPE));
    }
    if ((key->flags & OF_DOCUMENTS) != 0) json_put(recipe, "corpus.new_subjects", json_integer(2));
    if (strcmp(key->path, "model.head_dim") == 0) {
        json_put(recipe, key->path, json_integer(4)); /* any other is even, too */
    }
    const bool is_rope = strncmp(key->path, "model.rope_", strlen("model.rope_")) == 0;
    if (is_rope && strcmp(key->path, "model.rope_theta") != 0 &&
        strcmp(key->path, "model.rope_rule") != 0) {
        json_put(recipe, "model.rope_scaling", json_string("llama3"));
        json_put(recipe, "model.rope_factor", json_real(2.0));
        json_put(recipe, "model.rope_low_freq", json_real(1.0));
        json_put(recipe, "model.rope_high_freq", json_real(4.0));
        json_put(recipe, "model.rope_original", json_integer(32));
    }
    /* Without it the rest of a memory layer need not fit together in one way alone. */
    if (strcmp(key->path, "model.memory.value_proj") == 0) {
        json_put(recipe, "model.memory.swilu_projection", json_false());
    }
    return recipe;
}

static inline bool is_list(const struct key *key) {
    return key->type == KEY_SIZES || key->type == KEY_FLOATS;
}

static inline bool is_text(const struct key *key) {
    return key->type == KEY_STRING || key->type == KEY_STRINGS;
}

static inline bool is_number(const struct key *key) {
    return key->type == KEY_SIZE || key->type == KEY_FLOAT || is_list(key);
}

/* A number as the key has it: whole or not, in a list or not. */
static inline json_t *as_value(const struct key *key, double number) {
    bool is_whole = key->type == KEY_SIZE || key->type == KEY_SIZES;
    json_t *value = is_whole ? json_integer((json_int_t)number) : json_real(number);
    return is_list(key) ? json_pack("[o]", value) : value;
}

/* Value number i of some that are not `now` and may fit a recipe; NULL after the last. */
static inline json_t *other_value(const struct key *key, const json_t *now, int i) {
    double number = json_number_value(is_list(key) ? json_array_get(now, 0) : now);
    if (now == NULL && key->type != KEY_CHOICE) number = key->initial;
    const double numbers[] = {number * 2.0, number / 2.0, number + 1.0, number - 1.0};
    switch (key->type) {
        case KEY_STRING:
        case KEY_STRINGS:
            if (i > 0) return NULL;
            return json_string(strcmp(key->path, "evaluate.prompt") == 0 ? "{question}" : "other");
        case KEY_BOOL:
            return i > 1 ? NULL : json_boolean(json_is_true(now) == (i == 1));
        case KEY_CHOICE:
            return i >= (int)key->n_names ? NULL : json_string(key->names[i]);
        default:
            return i >= 4 ? NULL : as_value(key, numbers[i]);
    }
}

#endif
