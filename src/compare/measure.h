#ifndef COMPARE_MEASURE_H
#define COMPARE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "run/scores.h"

/* What some recipes measure of a model beside F1 and the skill's NLL: a column of the tables each,
 * where there is one. */
struct measure {
    const char *title; /* of the column */
    const char *key;   /* in CSV, as in scores.json */
    bool in_summary;   /* of a run's first table */
    size_t value;      /* offset of the number in struct scores … */
    size_t has;        /* … and of whether the recipe has it */
    size_t without;    /* of whether nothing was asked for it; MEASURE_ALWAYS: something was */
};

#define MEASURE_ALWAYS ((size_t)-1)
#define MEASURES 5

/* list [MEASURES] becomes those that the base with these scores has; their number. */
size_t measures_of(const struct scores *base, const struct measure *list[MEASURES]);

/* Whether the scores have a number; not where they diverged. */
bool measure_is_there(const struct measure *measure, const struct scores *scores);
double measure_value(const struct measure *measure, const struct scores *scores);

#endif
