#include "patch/patch_diff.h"

#include <math.h>
#include <string.h>

static bool same_fact(const struct patch_fact *a, const struct patch_fact *b) {
    bool same = strcmp(a->question, b->question) == 0 && a->answers.n == b->answers.n;
    for (size_t i = 0; same && i < a->answers.n; i++) {
        same = strcmp(a->answers.texts[i], b->answers.texts[i]) == 0;
    }
    return same;
}

static void compare_rows(const float *left, const float *right, size_t width, int32_t slot,
                         struct patch_difference *d) {
    if (memcmp(left, right, width * sizeof *left) == 0) {
        d->rows_alike++;
        return;
    }
    d->rows_differ++;
    for (size_t i = 0; i < width; i++) {
        float change = fabsf(left[i] - right[i]);
        if (!(change > d->change)) continue;
        d->change = change;
        d->slot = slot;
        d->column = i;
    }
}

static mneme_status check_models(const struct patch *left, const struct patch *right,
                                 const char *left_path, const char *right_path,
                                 mneme_error *error) {
    bool same = strcmp(left->model.hex, right->model.hex) == 0 && left->width == right->width &&
                left->n_slots == right->n_slots && left->tables.n == right->tables.n;
    for (size_t t = 0; same && t < left->tables.n; t++) {
        same = strcmp(left->tables.texts[t], right->tables.texts[t]) == 0;
    }
    if (same) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: is for the model %.16s… or for other tables of it, %s for %.16s…",
                     right_path, right->model.hex, left_path, left->model.hex);
}

mneme_status patch_compare(const struct patch *left, const struct patch *right,
                           const char *left_path, const char *right_path,
                           struct patch_difference *d, mneme_error *error) {
    *d = (struct patch_difference){0};
    TRY(check_models(left, right, left_path, right_path, error));
    while (d->facts_alike < left->n_facts && d->facts_alike < right->n_facts &&
           same_fact(&left->facts[d->facts_alike], &right->facts[d->facts_alike])) {
        d->facts_alike++;
    }
    for (size_t i = 0; i < left->n_rows; i++) {
        size_t place = slot_index_find(&right->index, left->slots[i]);
        if (place == SLOT_INDEX_NONE) {
            d->rows_left++;
        } else {
            compare_rows(left->rows + i * left->width, right->rows + place * right->width,
                         left->width, left->slots[i], d);
        }
    }
    d->rows_right = right->n_rows - d->rows_alike - d->rows_differ;
    return MNEME_OK;
}
