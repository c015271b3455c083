#ifndef PROFILE_PROFILE_REPORT_H
#define PROFILE_PROFILE_REPORT_H

#include <jansson.h>

#include "profile/profile.h"
#include "profile/roof.h"

/* What a profile found, summed in three ways. */

struct profile_row {
    char layer[40];     /* "layers.2.feed_forward", "output"…; "" in a kernel's sum */
    const char *kernel; /* "" in a layer's sum */
    struct profile_cell counts;
    /* The least time in which the machine could do that: by its arithmetic or by its memory,
     * whichever takes longer, summed over the kernels in the layers. */
    double roof_seconds;
};

struct profile_report {
    double seconds;        /* from start to stop */
    double kernel_seconds; /* of these in kernels */
    struct machine_roof roof;
    size_t n_kernels, n_layers, n_cells;
    struct profile_row *kernels; /* longest first */
    struct profile_row *layers;  /* in order of computation */
    struct profile_row *cells;   /* a kernel in a layer: in the layers' order, longest first */
};

/* Sums up the profile that was stopped after so many nanoseconds, and measures the roof. */
mneme_status profile_report_open(struct profile_report *report, uint64_t nanoseconds,
                                 mneme_error *error);
void profile_report_close(struct profile_report *report);

/* The memory's side of the roof: the best of reading and changing in place. */
double profile_memory_roof(const struct machine_roof *roof);
/* roof_seconds over the seconds that it took. More than 1: operands were in a cache. */
double profile_roof_share(const struct profile_row *row);

double profile_seconds(const struct profile_cell *counts);
double profile_gflops(const struct profile_cell *counts);
double profile_gb_per_second(const struct profile_cell *counts);

/* Text for a terminal; NULL without memory. */
char *profile_table(const struct profile_report *report);
/* NULL without memory. */
json_t *profile_to_json(const struct profile_report *report);

#endif
