#include "smf/slot_ranking.h"

#include <stdlib.h>

#include "profile/profile.h"
#include "simd/math.h"

/* A total order, so that the sort's algorithm does not matter. */
static int by_score(const void *a, const void *b) {
    const struct ranked_slot *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

void slot_ranking_tf_idf(const struct background *background, size_t n_read, const int32_t *slots,
                         const size_t *counts, struct ranked_slot *ranked) {
    PROFILE(slot_ranking, n_read);
    size_t total = 0;
    for (size_t g = 0; g < n_read; g++) total += counts[g];
    float batches = (float)(background->n_batches + 1);
    for (size_t g = 0; g < n_read; g++) {
        float frequency = (float)counts[g] / (float)total;
        float reading = (float)(1 + background->batches_reading[slots[g]]);
        ranked[g] = (struct ranked_slot){frequency * math_log(batches / reading), g};
    }
    qsort(ranked, n_read, sizeof *ranked, by_score);
}
