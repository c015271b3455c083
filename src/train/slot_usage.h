#ifndef TRAIN_SLOT_USAGE_H
#define TRAIN_SLOT_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/batch_reads.h"

/* Which slots a training reads: whether its routing spreads, scatters or collapses. Slots of all
 * value tables are numbered table * n_slots + slot. */

/* What one step's batch read, over all tokens, memory layers, heads and ranks. */
struct slot_figures {
    size_t slots;     /* different ones */
    float perplexity; /* of the reads' shares, exp(-sum p log p): as many slots, evenly read, would
                         have the same */
    float never_read; /* share of all slots that no step so far has read */
};

struct slot_usage {
    size_t n_slots, n_words; /* of all tables; words of 64 slots */
    uint64_t *ever;          /* [n_words] bit s % 64 of word s / 64: slot s was read by some step */
    uint64_t *in_batch;      /* [n_words] by this step */
    uint32_t *counts;        /* [n_slots] this step's reads; 0 where in_batch is */
    size_t n_reads;          /* of this step */
    struct arena arena;
};

mneme_status slot_usage_open(struct slot_usage *usage, const struct model *model,
                             mneme_error *error);
/* Does nothing to {0}. */
void slot_usage_close(struct slot_usage *usage);

/* Whether `ever`, read from a file, has no slot beyond the last. */
bool slot_usage_is_sound(const struct slot_usage *usage);

/* Adds the reads of a micro-batch. */
void slot_usage_add(struct slot_usage *usage, struct slots_read read);

/* Ends the step. The sum over slots is taken by ascending slot, so that its bits do not depend on
 * micro-batches or threads. */
struct slot_figures slot_usage_end_step(struct slot_usage *usage);

/* Whether the figures are those of a routing that has collapsed: a perplexity under 1 % of what it
 * could be, the reads or the slots, whichever are fewer. */
bool slot_usage_collapsed(struct slot_figures figures, size_t n_slots, size_t n_reads);

#endif
