#include "smf/slot_ranking.h"

#include <stdlib.h>

#include "base/random.h"
#include "profile/profile.h"
#include "simd/math.h"

/* Fewer slots than this are not worth waking threads for. */
#define PARALLEL_SLOTS ((size_t)1 << 12)

const char *const slot_selection_names[SLOT_SELECTION_COUNT] = {"tf-idf", "tf", "kl", "random",
                                                                "all"};

/* A total order, so that neither the choice nor the sort depends on its algorithm. */
static int by_score(const void *a, const void *b) {
    const struct ranked_slot *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

/* Lets the slot at `place` sink in a heap of n whose root comes last in the order. */
static void sink(struct ranked_slot *heap, size_t n, size_t place) {
    struct ranked_slot sinking = heap[place];
    for (size_t child; (child = 2 * place + 1) < n; place = child) {
        if (child + 1 < n && by_score(&heap[child + 1], &heap[child]) > 0) child++;
        if (by_score(&heap[child], &sinking) <= 0) break;
        heap[place] = heap[child];
    }
    heap[place] = sinking;
}

/* The first n_best of n become those that come first in the order; none is lost. */
static void choose_best(size_t n, size_t n_best, struct ranked_slot *slots) {
    if (n_best == 0 || n_best >= n) return;
    for (size_t i = n_best / 2; i-- > 0;) sink(slots, n_best, i);
    for (size_t i = n_best; i < n; i++) {
        if (by_score(&slots[i], &slots[0]) > 0) continue;
        struct ranked_slot last = slots[0];
        slots[0] = slots[i];
        slots[i] = last;
        sink(slots, n_best, 0);
    }
}

struct slot_ranking slot_ranking_make(enum slot_selection selection,
                                      const struct background *background, struct slot_range range,
                                      uint64_t seed) {
    /* A sum of whole numbers below 2^53: exact in any order. */
    double reads = (double)range.n;
    for (size_t i = 0; i < range.n; i++) reads += (double)background->reads[range.first + i];
    return (struct slot_ranking){selection, background, reads, seed, 1};
}

/* p idf^power */
static float by_rarity(float p, float idf, size_t power) {
    for (size_t i = 0; i < power; i++) p *= idf;
    return p;
}

/* p is the slot's share of the batch's reads. */
static float score(const struct slot_ranking *ranking, size_t step, int32_t slot, float p) {
    const struct background *background = ranking->background;
    switch (ranking->selection) {
        case SLOTS_TF_IDF:
            return by_rarity(p, background_idf(background, slot), ranking->idf_power);
        case SLOTS_KL: {
            float q = (1.0f + (float)background->reads[slot]) / (float)ranking->background_reads;
            return p * math_log(p / q);
        }
        case SLOTS_RANDOM:
            return random_uniform(ranking->seed, RANDOM_STREAM_SLOTS,
                                  (uint64_t)step << 32 | (uint32_t)slot);
        default:
            return p;
    }
}

void slot_ranking_run(const struct slot_ranking *ranking, size_t step, struct slots_read read,
                      size_t n_best, struct ranked_slot *ranked) {
    PROFILE(slot_ranking, read.n);
    const size_t total = read.starts[read.n] - read.starts[0];
#pragma omp parallel for schedule(static) if (read.n >= PARALLEL_SLOTS)
    for (size_t g = 0; g < read.n; g++) {
        float p = (float)(read.starts[g + 1] - read.starts[g]) / (float)total;
        ranked[g] = (struct ranked_slot){score(ranking, step, read.slots[g], p), g};
    }
    choose_best(read.n, n_best, ranked);
    qsort(ranked, n_best < read.n ? n_best : read.n, sizeof *ranked, by_score);
}
