#include "reference/measure.h"

#include <math.h>

/* Of a NaN and anything else, the NaN. */
static double larger(double a, double b) {
    return isnan(a) || a > b ? a : b;
}

mneme_reference_error measure_errors(size_t n, const float *found, const double *exact) {
    double squares = 0.0, exact_squares = 0.0, largest = 0.0, scale = 0.0;
    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)found[i] - exact[i]), size = fabs(exact[i]);
        squares += difference * difference;
        exact_squares += exact[i] * exact[i];
        largest = larger(largest, difference);
        if (size > scale) scale = size;
    }
    if (squares == 0.0) return (mneme_reference_error){0};
    /* A tensor that is all zero has no scale: any difference is infinitely large. */
    if (scale == 0.0) return (mneme_reference_error){INFINITY, INFINITY};
    return (mneme_reference_error){sqrt(squares / exact_squares), largest / (scale * 0x1p-23)};
}

void measure_keep_largest(mneme_reference_error *largest, mneme_reference_error errors) {
    largest->relative = larger(largest->relative, errors.relative);
    largest->ulp = larger(largest->ulp, errors.ulp);
}

/* What ours may be: PyTorch's error, or that of a single rounding where PyTorch's is less, times
 * the factor. */
static double limit(double theirs, double one_rounding) {
    return MEASURE_FACTOR * (theirs > one_rounding ? theirs : one_rounding);
}

bool measure_is_equivalent(const mneme_reference_row *row) {
    if (row->is_selection) return row->different == row->near_ties;
    /* Written so that NaN is not equivalent. */
    return row->ours.relative <= limit(row->theirs.relative, 0x1p-24) &&
           row->ours.ulp <= limit(row->theirs.ulp, 0.5);
}

/* In both measures; a NaN is within nothing. */
static bool is_within(const mneme_reference_error *errors, const mneme_reference_error *others) {
    return errors->relative <= MEASURE_FACTOR * others->relative &&
           errors->ulp <= MEASURE_FACTOR * others->ulp;
}

bool measure_is_within_here(const mneme_reference_row *row) {
    return row->is_selection ? row->different == 0 : is_within(&row->ours, &row->here);
}

bool measure_here_is_within_ours(const mneme_reference_row *row) {
    return row->is_selection ? row->different == 0 : is_within(&row->here, &row->ours);
}
