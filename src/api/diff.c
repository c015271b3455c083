#include <mneme/diff.h>

#include <stdlib.h>

#include "tensor/tensors_difference.h"
#include "verify/trail_difference.h"

mneme_status mneme_diff_trails(const char *a, const char *b, mneme_trail_difference *difference,
                               mneme_error *error) {
    *difference = (mneme_trail_difference){0};
    mneme_status status = trail_difference_find(a, b, difference, error);
    if (status != MNEME_OK) mneme_trail_difference_free(difference);
    return status;
}

void mneme_trail_difference_free(mneme_trail_difference *difference) {
    free(difference->a);
    free(difference->b);
    free(difference->file);
    free(difference->file_cause);
    *difference = (mneme_trail_difference){0};
}

mneme_status mneme_diff_tensors(const char *a, const char *b, mneme_tensors_difference *difference,
                                mneme_error *error) {
    *difference = (mneme_tensors_difference){0};
    mneme_status status = tensors_difference_find(a, b, difference, error);
    if (status != MNEME_OK) mneme_tensors_difference_free(difference);
    return status;
}

void mneme_tensors_difference_free(mneme_tensors_difference *difference) {
    for (size_t i = 0; i < difference->n_tensors; i++) free(difference->tensors[i].name);
    free(difference->tensors);
    *difference = (mneme_tensors_difference){0};
}
