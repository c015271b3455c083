#ifndef RECIPE_RECIPE_KEYS_H
#define RECIPE_RECIPE_KEYS_H

#include "base/key_table.h"

/* keys.def as a table over struct recipe. */
extern const struct key_table recipe_keys;

/* Flags of its rows. */
enum {
    IS_INPUT = KEY_FIRST_OWN, /* the path of a file: what that holds makes the run, not its name */
    IS_METHOD = 1 << 3,       /* an object of `finetune` with a struct recipe_rates */
    OF_WORLD = 1 << 4,        /* only where `corpus.world` is given */
    OF_QUESTIONS = 1 << 5,    /* only where it is not */
    OF_DOCUMENTS = 1 << 6,    /* only where `corpus.new_subjects` is above 0 */
    NEEDS_MEMORY = 1 << 7,    /* refused of a model without memory */
    NOT_OF_BASE = 1 << 8,     /* does not decide the base model and its scores */
    OF_CELL = 1 << 9,         /* decides what a sweep's cell does with the base model … */
    CHANGES_NO_NUMBER = 1 << 10, /* … but for these: how often it is looked at */
};

/* The table for people: Markdown, as in docs/recipes.md, or JSON. malloc'ed; NULL without memory.
 */
char *recipe_keys_markdown(void);
char *recipe_keys_json(void);

#endif
