#ifndef SMF_SLOT_RANKING_H
#define SMF_SLOT_RANKING_H

#include <stddef.h>
#include <stdint.h>

#include "smf/background.h"

/* Which slots a step may change (SMF, section 3): score(i) = c(i) / sum(c) * log((|B| + 1) /
 * (1 + batches_reading(i))), c(i) the reads of slot i in this batch. */

struct ranked_slot {
    float score;
    size_t group; /* index of the slot among those read, which are ascending */
};

/* Ranks n_read slots (ascending, different) with their read counts: the first n_best of ranked
 * [n_read] become the best slots by score descending, equal scores by lower slot; the rest is in no
 * order. */
void slot_ranking_tf_idf(const struct background *background, size_t n_read, const int32_t *slots,
                         const size_t *counts, size_t n_best, struct ranked_slot *ranked);

#endif
