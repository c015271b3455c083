#ifndef SLOTS_SLOT_VIEW_H
#define SLOTS_SLOT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slots/slot_reads.h"
#include "smf/background.h"
#include "smf/slot_ranking.h"

/* What `mneme slots` shows, as numbers. */

#define SLOT_VIEW_TOKENS 4

/* How often ordinary text reads the slots: bin 0 for those that no batch of the background read,
 * and bin b for 2^(b-1) to 2^b - 1 batches. */
#define SLOT_VIEW_BINS 34
struct slot_usage {
    size_t n_slots, n_batches;
    size_t slots[SLOT_VIEW_BINS];
    double reads[SLOT_VIEW_BINS]; /* of these slots */
    size_t n_bins;
    size_t dead;      /* slots that no batch read */
    size_t in_all;    /* slots that every batch read */
    double effective; /* exp of the entropy of the reads' distribution, in slots */
};

/* A slot that a fact's wordings read. */
struct slot_of_fact {
    int32_t slot;
    size_t n_texts; /* wordings that read it */
    size_t reads;
    float idf;   /* log((|B| + 1) / (1 + batches_reading)) */
    float score; /* TF-IDF over all wordings */
    bool trainable;
    int32_t tokens[SLOT_VIEW_TOKENS]; /* that read it most, the most reads first */
    size_t token_reads[SLOT_VIEW_TOKENS];
    size_t n_tokens;
};

struct slot_fact {
    const char *set; /* "new", "known" */
    size_t number;
    const char *prompt, *answer; /* of the fact, or the chunk's first */
    size_t n_texts, n_tokens, n_reads;
    size_t n_slots;
    struct slot_of_fact *slots; /* [n_slots] by score descending, lower slot first */
    size_t n_shared;            /* read by every wording */
    size_t n_trainable;
    double trainable_share; /* of the reads that go to trainable slots */
};

/* Overlap of the trainable sets of the first n new facts. */
struct slot_overlap {
    size_t n, t;
    uint32_t *common; /* [n, n] slots in both sets; the diagonal is the set's size */
};

/* Trainable are the t best of every `of` slots: of those of a table, or of all tables. */
struct trainable_rule {
    size_t t, of;
};

void slot_usage_count(const struct background *background, struct slot_usage *usage);

/* Fills all but set, number, prompt and answer. */
mneme_status slot_fact_make(const struct slot_reads *reads, const struct background *background,
                            struct trainable_rule rule, struct slot_fact *fact, mneme_error *error);
void slot_fact_free(struct slot_fact *fact);

/* The trainable slots by TF-IDF, ascending; returns how many. set [t of every `of`], ranked
 * [reads->n_slots]. */
size_t slot_trainable_set(const struct slot_reads *reads, const struct background *background,
                          struct trainable_rule rule, struct ranked_slot *ranked, int32_t *set);

/* Slots that are in both ascending sets. */
size_t slot_common(size_t n_a, const int32_t *a, size_t n_b, const int32_t *b);

/* Mean of the pairs i < j, and the pair that has most. */
double slot_overlap_mean(const struct slot_overlap *overlap, size_t *most, size_t *most_i,
                         size_t *most_j);

#endif
