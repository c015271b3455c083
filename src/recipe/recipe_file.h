#ifndef RECIPE_RECIPE_FILE_H
#define RECIPE_RECIPE_FILE_H

#include <jansson.h>

#include "base/error.h"

/* Reads a recipe's JSON. A recipe that `extends` another (a path, looked up from its own folder)
 * takes over its keys: objects are merged key by key, all else is replaced, and null takes a key
 * away. The caller owns *recipe, in which `extends` is gone. */
mneme_status recipe_file_read(const char *path, json_t **recipe, mneme_error *error);

#endif
