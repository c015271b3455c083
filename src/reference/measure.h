#ifndef REFERENCE_MEASURE_H
#define REFERENCE_MEASURE_H

#include <stdint.h>

#include <mneme/reference.h>

/* The measure of docs/equivalence.md. */

/* Ours may be this much worse than PyTorch in float32. */
#define MEASURE_FACTOR 1.5

/* All that is known of a row while it grows: errors are the largest of the trials so far. */
struct measured_row {
    mneme_reference_row row;
    unsigned isas; /* bit i: instruction set i */
    uint64_t hash; /* FNV-1a of our bits */
};

/* The errors of one float32 result of n elements. */
mneme_reference_error measure_errors(size_t n, const float *found, const double *exact);

/* *largest becomes the larger of the two in each measure, a NaN if there is one. */
void measure_keep_largest(mneme_reference_error *largest, mneme_reference_error errors);

/* The row's verdict, from its errors or its selections. */
bool measure_is_equivalent(const mneme_reference_row *row);

/* The stricter one: at most MEASURE_FACTOR times PyTorch's error on the same inputs. */
bool measure_is_within_here(const mneme_reference_row *row);

/* The same of PyTorch: its error is at most MEASURE_FACTOR times ours on the same inputs. */
bool measure_here_is_within_ours(const mneme_reference_row *row);

#endif
