#ifndef EXPERIMENT_IDENTITY_H
#define EXPERIMENT_IDENTITY_H

#include "base/error.h"
#include "experiment/recipe.h"

/* Whose run folder it is: recipe.json in it holds the recipe with every default filled in and the
 * SHA-256 of each input file. Written into a folder that has none; a folder that holds another
 * one is refused with MNEME_BAD_INPUT, naming the first key that differs. */
mneme_status identity_check(const struct recipe *recipe, const char *directory, mneme_error *error);

#endif
