#ifndef RECIPE_IDENTITY_H
#define RECIPE_IDENTITY_H

#include <stdbool.h>

#include <jansson.h>

#include "base/error.h"
#include "recipe/recipe.h"

/* The files of a run folder that tell whose it is. */
#define IDENTITY_RECIPE "recipe.json"
#define IDENTITY_INPUTS "inputs.json"

/* What of a recipe must be the same in a folder's. */
enum identity_scope {
    IDENTITY_RUN,  /* all */
    IDENTITY_BASE, /* what decides the base model and its scores: all but `name` and `finetune` */
};

/* Whose run folder it is: recipe.json in it holds the recipe with every default filled in and the
 * SHA-256 of each input file. Written into a folder that has none; a folder that holds another
 * one is refused with MNEME_BAD_INPUT, naming the first key that differs and both its values. A key
 * that the folder's recipe does not have, since it was written before there was the key, has its
 * default. With write_paths inputs.json gets the absolute paths of the input files. */
mneme_status identity_check(const struct recipe *recipe, const char *directory,
                            enum identity_scope scope, bool write_paths, mneme_error *error);

/* Whether the folder's recipe.json says the recipe, wholly; and makes it say it. */
mneme_status identity_is_same(const struct recipe *recipe, const char *directory, bool *same,
                              mneme_error *error);
mneme_status identity_replace(const struct recipe *recipe, const char *directory,
                              mneme_error *error);

/* Reads the recipe of a run folder: recipe.json, input files from inputs.json, overrides over both
 * (recipe_load). */
mneme_status identity_recipe(const char *directory, const char *const *overrides,
                             size_t n_overrides, struct recipe *recipe, mneme_error *error);

/* The same as an object, which the caller owns. */
mneme_status identity_read(const char *directory, const char *const *overrides, size_t n_overrides,
                           json_t **recipe, mneme_error *error);

/* Puts the input files of a run folder, and the overrides, into another recipe's object. */
mneme_status identity_put_inputs(const char *directory, const char *const *overrides,
                                 size_t n_overrides, json_t *recipe, mneme_error *error);

/* What recipe.json says that an input of that name holds: its digest or digests, as JSON. The
 * caller frees it. */
mneme_status identity_input(const char *directory, const char *name, char **text,
                            mneme_error *error);

/* What decides a sweep cell's numbers, given its base model. The caller owns it; NULL without
 * memory. */
json_t *identity_of_cell(const struct recipe *recipe);

#endif
