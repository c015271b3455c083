#ifndef RECIPE_RECIPE_LOAD_H
#define RECIPE_RECIPE_LOAD_H

#include <jansson.h>

#include "base/error.h"
#include "recipe/recipe.h"

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
