#ifndef EXPERIMENT_TRAIL_H
#define EXPERIMENT_TRAIL_H

#include <stddef.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/error.h"

/* trail.jsonl: a line per training step, with which two runs are compared. Floats stand there as
 * decimals that read back exactly and as hexadecimals. The same run writes the same bytes, however
 * often it was cut and continued. */
struct trail {
    FILE *stream;
    char *path;
};

struct trail_line {
    size_t step;   /* from 1 */
    size_t tokens; /* of this step */
    float lr;
    float loss;
    const float *gradient_norm;  /* NULL: the method has none */
    const struct digest *digest; /* of all parameters after the step; NULL: not taken */
};

/* Opens the trail of a training that continues after `steps` steps; lines of later steps, which an
 * interrupted run may have left, are cut off. */
mneme_status trail_open(struct trail *trail, const char *path, size_t steps, mneme_error *error);
mneme_status trail_add(struct trail *trail, const struct trail_line *line, mneme_error *error);
/* To the disk. */
mneme_status trail_flush(struct trail *trail, mneme_error *error);
/* Does nothing to a trail that is {0}. */
void trail_close(struct trail *trail);

#endif
