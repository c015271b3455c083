#ifndef PATCH_PATCH_DIFF_H
#define PATCH_PATCH_DIFF_H

#include <stdbool.h>

#include "patch/patch.h"

/* How two patches of one model differ. */
struct patch_difference {
    size_t facts_alike;           /* the first ones, of both: the same question and answers */
    size_t rows_alike;            /* the same slot, bit for bit the same row */
    size_t rows_differ;           /* the same slot, another row */
    size_t rows_left, rows_right; /* of one patch alone */
    /* The number that differs most, where rows differ. */
    float change; /* |left - right| */
    int32_t slot; /* of all tables */
    size_t column;
};

/* MNEME_BAD_INPUT for patches of different models, by their paths. */
mneme_status patch_compare(const struct patch *left, const struct patch *right,
                           const char *left_path, const char *right_path,
                           struct patch_difference *difference, mneme_error *error);

#endif
