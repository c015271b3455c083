#ifndef RECIPE_RECIPE_FILE_H
#define RECIPE_RECIPE_FILE_H

#include <jansson.h>

#include "base/error.h"

/* Reads a recipe's JSON. A recipe that `extends` another (a path, looked up from its own folder)
 * takes over its keys: objects are merged key by key, all else is replaced, and null takes a key
 * away. Then the overrides are applied (recipe_overrides.h). The caller owns *recipe, in which
 * `extends` is gone; NULL after a failure. */
mneme_status recipe_file_read(const char *path, const char *const *overrides, size_t n_overrides,
                              json_t **recipe, mneme_error *error);

#endif
