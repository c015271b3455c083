#ifndef RECIPE_RECIPE_OVERRIDES_H
#define RECIPE_RECIPE_OVERRIDES_H

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

/* Sets each "dotted.key=value" in a recipe's object, making the objects on the way. A value that
 * is JSON is taken as such ("[1, 2]", "null", "0.5"), anything else as a string. Keys are checked
 * when the recipe is read. */
mneme_status recipe_override(json_t *recipe, const char *const *overrides, size_t n_overrides,
                             mneme_error *error);

#endif
