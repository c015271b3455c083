#ifndef TESTS_RECIPE_WITHOUT_BASE_H
#define TESTS_RECIPE_WITHOUT_BASE_H

#include <mneme/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Whether a recipe of the project fails because the real model is not here, which
 * data/models/smollm2.sh brings; a line names what is skipped then. */
static inline bool is_without_base(const char *recipe, const mneme_error *error) {
    if (strstr(error->message, "models/smollm2") == NULL ||
        strstr(error->message, "cannot open") == NULL) {
        return false;
    }
    printf("skip: recipe %s: no models/smollm2 (data/models/smollm2.sh brings it)\n", recipe);
    return true;
}

#endif
