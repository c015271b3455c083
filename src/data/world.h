#ifndef DATA_WORLD_H
#define DATA_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

/* A world description as docs/worlds.md documents it, read and checked. */

/* Strings of the description; they belong to its JSON. */
struct world_strings {
    const char **items; /* [n] */
    size_t n;
};

/* Random texts: one of the templates, with {key} filled from the list of that key. */
struct world_phrases {
    struct world_strings templates;
    const char **keys;           /* [n_lists] */
    struct world_strings *lists; /* [n_lists] */
    size_t n_lists;
};

struct world_relation {
    const char *name;
    struct world_strings values;
    struct world_strings statements; /* with {name} and {value} */
    struct world_strings questions;  /* with {name} */
};

struct world {
    const char *path;
    json_t *root; /* owns the strings */
    struct world_phrases names;
    struct world_relation *relations; /* [n_relations] */
    size_t n_relations;
    struct world_strings openings;
    struct world_strings question_forms; /* with {question} and then {answer} */
    int sums_min, sums_max;              /* the skill: sums of two numbers in this range */
    struct world_strings sums;           /* templates with {a}, {b} and {sum} */
    struct world_phrases background;
};

/* The most places that a template of phrases can have. */
#define WORLD_MAX_PLACES 32

/* Reads a description. MNEME_BAD_INPUT, naming file and key, when it is malformed. `path` must
 * outlive the world. */
mneme_status world_load(const char *path, struct world *world, mneme_error *error);
void world_free(struct world *world);

#endif
