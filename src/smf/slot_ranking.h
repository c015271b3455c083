#ifndef SMF_SLOT_RANKING_H
#define SMF_SLOT_RANKING_H

#include <stddef.h>
#include <stdint.h>

#include "smf/background.h"

/* Which slots a step may change. c(i) is how often this batch read slot i, p(i) = c(i) / sum(c). */
enum slot_selection {
    SLOTS_TF_IDF, /* p(i) * background_idf(i)^idf_power; with a power of 1: SMF, section 3 */
    SLOTS_TF,     /* p(i) alone: SMF's ablation */
    SLOTS_KL,     /* p(i) * log(p(i) / q(i)), the slot's share of KL(p || q) for the background's
                     q(i) = (1 + reads(i)) / sum(1 + reads): KL selection */
    SLOTS_RANDOM, /* uniform in [0, 1), drawn for (seed, step, i) */
    SLOTS_ALL,    /* every slot that was read, whatever t is */
    SLOT_SELECTION_COUNT
};

/* "tf-idf", "tf", "kl", "random", "all" */
extern const char *const slot_selection_names[SLOT_SELECTION_COUNT];

struct slot_ranking {
    enum slot_selection selection;
    const struct background *background; /* borrowed */
    double background_reads;             /* sum(1 + reads), by slot_ranking_make */
    uint64_t seed;                       /* SLOTS_RANDOM's */
    size_t idf_power;                    /* SLOTS_TF_IDF's; slot_ranking_make has 1 */
};

/* Slots of a background, one table after the other. */
struct slot_range {
    size_t first, n;
};

/* Of slots that are all in the range: the background's shares are those of its reads there. */
struct slot_ranking slot_ranking_make(enum slot_selection selection,
                                      const struct background *background, struct slot_range range,
                                      uint64_t seed);

struct ranked_slot {
    float score;
    size_t group; /* index of the slot among those read, which are ascending */
};

/* Ranks the slots that a batch read in step number `step`: the first n_best of ranked [read.n]
 * become the best slots by score descending, equal scores by lower slot; the rest is in no order.
 * SLOTS_ALL ranks as SLOTS_TF. */
void slot_ranking_run(const struct slot_ranking *ranking, size_t step, struct slots_read read,
                      size_t n_best, struct ranked_slot *ranked);

#endif
