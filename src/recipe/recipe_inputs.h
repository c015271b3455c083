#ifndef RECIPE_RECIPE_INPUTS_H
#define RECIPE_RECIPE_INPUTS_H

#include "recipe/recipe.h"

/* Replaces a relative path, unless it is NULL, by the first that is there of: itself, from the
 * recipe's folder, from the recipes of the source tree that is worked in, from the installed ones;
 * of one below ../shared/data, where the project's recipes expect data sets, the same below the
 * folder that the environment variable MNEME_DATA names. As it is if none is there. */
mneme_status recipe_find_input(char **path, const char *recipe, mneme_error *error);

/* Refuses a recipe with an input that is not there: MNEME_BAD_INPUT, which key, and what to do. */
mneme_status recipe_check_inputs(const struct recipe *recipe, mneme_error *error);

#endif
