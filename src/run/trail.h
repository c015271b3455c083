#ifndef RUN_TRAIL_H
#define RUN_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/error.h"
#include "train/slot_usage.h"

/* trail.jsonl: what a training did, step by step, with which two runs are compared. The first line
 * is {"contract", "stage"}, then there is a line per step. Floats stand there as decimals that read
 * back exactly and as hexadecimals. The same run writes the same bytes, however often it was cut
 * and continued. */

struct trail_line {
    size_t step;   /* from 1 */
    size_t tokens; /* of this step */
    float lr;
    float loss;
    bool has_norm; /* the method has a gradient norm */
    float gradient_norm;
    bool has_slots; /* the reads of a memory were counted */
    struct slot_figures slots;
    bool has_digest; /* one was taken after this step */
    struct digest digest;
};

/* The line as it stands in the file, without its newline; malloc'ed, NULL without memory. */
char *trail_line_text(const struct trail_line *line);

/* A trail that is being written. */
struct trail {
    FILE *stream;
    char *path;
};

/* Opens the trail of a training that continues after `steps` steps; lines of later steps, which an
 * interrupted run may have left, are cut off. A trail of another stage or contract is refused. */
mneme_status trail_open(struct trail *trail, const char *path, const char *stage, size_t steps,
                        mneme_error *error);
mneme_status trail_add(struct trail *trail, const struct trail_line *line, mneme_error *error);
/* To the disk. */
mneme_status trail_flush(struct trail *trail, mneme_error *error);
/* After trail_flush: how many bytes the file has, and their digest. */
mneme_status trail_digest(const struct trail *trail, uint64_t *bytes, struct digest *digest,
                          mneme_error *error);
/* Does nothing to a trail that is {0}. */
void trail_close(struct trail *trail);

/* What the line of one step says, whatever lies behind it in the file. */
mneme_status trail_read_step(const char *path, size_t step, struct trail_line *line,
                             mneme_error *error);

/* A trail that is read: its step lines. */
struct trail_text {
    char *path;
    char *bytes;
    char **head_and_lines; /* [n + 1] */
    char **lines;          /* [n] step i + 1 is lines[i] */
    size_t n;
};

/* Refuses the trail of another contract; says nothing of a file that is not there or has no line.
 */
mneme_status trail_check_contract(const char *path, mneme_error *error);

/* MNEME_BAD_INPUT for a file that is not a trail, or one of another contract. */
mneme_status trail_text_open(struct trail_text *text, const char *path, mneme_error *error);
/* Does nothing to {0}. */
void trail_text_close(struct trail_text *text);
/* What line i says. */
mneme_status trail_text_parse(const struct trail_text *text, size_t i, struct trail_line *line,
                              mneme_error *error);

#endif
