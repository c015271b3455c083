#include "slots/slot_view.h"

#include <stdlib.h>
#include <string.h>

#include "simd/math.h"

static size_t bin_of(int32_t batches) {
    size_t bin = 0;
    for (uint32_t left = (uint32_t)batches; left > 0; left >>= 1) bin++;
    return bin;
}

void slot_usage_count(const struct background *background, struct slot_usage *usage) {
    *usage =
        (struct slot_usage){.n_slots = background->n_slots, .n_batches = background->n_batches};
    double total = 0.0;
    for (size_t i = 0; i < background->n_slots; i++) total += (double)background->reads[i];
    float entropy = 0.0f;
    for (size_t i = 0; i < background->n_slots; i++) {
        size_t bin = bin_of(background->batches_reading[i]);
        usage->slots[bin]++;
        usage->reads[bin] += (double)background->reads[i];
        if (bin + 1 > usage->n_bins) usage->n_bins = bin + 1;
        usage->dead += background->batches_reading[i] == 0;
        usage->in_all += (size_t)background->batches_reading[i] == background->n_batches;
        if (background->reads[i] == 0) continue;
        float p = (float)((double)background->reads[i] / total);
        entropy -= p * math_log(p);
    }
    usage->effective = (double)math_exp(entropy);
}

static int by_reads(const void *a, const void *b) {
    const size_t *x = a, *y = b; /* pairs of reads and token */
    if (x[0] != y[0]) return x[0] > y[0] ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

static int by_number(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

/* The tokens among a slot's reads [n], most frequent first. tokens and pairs have room for n. */
static void find_tokens(const struct slot_read *reads, size_t n, int32_t *tokens,
                        size_t (*pairs)[2], struct slot_of_fact *slot) {
    size_t n_pairs = 0;
    for (size_t i = 0; i < n; i++) tokens[i] = reads[i].token;
    qsort(tokens, n, sizeof *tokens, by_number);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || tokens[i] != tokens[i - 1]) {
            pairs[n_pairs][0] = 0;
            pairs[n_pairs++][1] = (size_t)tokens[i];
        }
        pairs[n_pairs - 1][0]++;
    }
    qsort(pairs, n_pairs, sizeof *pairs, by_reads);
    slot->n_tokens = n_pairs < SLOT_VIEW_TOKENS ? n_pairs : SLOT_VIEW_TOKENS;
    for (size_t i = 0; i < slot->n_tokens; i++) {
        slot->token_reads[i] = pairs[i][0];
        slot->tokens[i] = (int32_t)pairs[i][1];
    }
}

static size_t count_texts(const struct slot_read *reads, size_t n) {
    size_t n_texts = 0;
    for (size_t i = 0; i < n; i++) n_texts += i == 0 || reads[i].text != reads[i - 1].text;
    return n_texts;
}

static struct slots_read slots_of(const struct slot_reads *reads) {
    return (struct slots_read){reads->n_slots, reads->slots, reads->starts};
}

/* How many slots of each table are trainable so far, while slots come by score. */
struct taken {
    struct trainable_rule rule;
    size_t n[MODEL_MAX_MEMORY_LAYERS];
};

/* Whether the next slot is, too. */
static bool take(struct taken *taken, int32_t slot) {
    size_t *n = &taken->n[(size_t)slot / taken->rule.of];
    if (*n >= taken->rule.t) return false;
    (*n)++;
    return true;
}

/* Arrays that a fact is made with; all have room for its reads. */
struct fact_scratch {
    struct ranked_slot *ranked;
    int32_t *tokens;
    size_t (*pairs)[2];
    struct taken taken;
};

/* Slot number i of the fact's ranking. */
static void make_slot(const struct slot_reads *reads, const struct background *background, size_t i,
                      struct fact_scratch *scratch, struct slot_fact *fact) {
    size_t g = scratch->ranked[i].group, n = reads->starts[g + 1] - reads->starts[g];
    const struct slot_read *of_slot = reads->reads + reads->starts[g];
    fact->slots[i] = (struct slot_of_fact){.slot = reads->slots[g],
                                           .n_texts = count_texts(of_slot, n),
                                           .reads = n,
                                           .idf = background_idf(background, reads->slots[g]),
                                           .score = scratch->ranked[i].score,
                                           .trainable = take(&scratch->taken, reads->slots[g])};
    find_tokens(of_slot, n, scratch->tokens, scratch->pairs, &fact->slots[i]);
    fact->n_shared += fact->slots[i].n_texts == reads->n_texts;
    if (!fact->slots[i].trainable) return;
    fact->n_trainable++;
    fact->trainable_share += (double)n / (double)reads->n;
}

mneme_status slot_fact_make(const struct slot_reads *reads, const struct background *background,
                            struct trainable_rule rule, struct slot_fact *fact,
                            mneme_error *error) {
    const struct slot_ranking ranking =
        slot_ranking_make(SLOTS_TF_IDF, background, (struct slot_range){0, background->n_slots}, 0);
    struct fact_scratch scratch = {calloc(reads->n + 1, sizeof *scratch.ranked),
                                   calloc(reads->n + 1, sizeof *scratch.tokens),
                                   calloc(reads->n + 1, sizeof *scratch.pairs),
                                   {.rule = rule}};
    fact->slots = calloc(reads->n_slots + 1, sizeof *fact->slots);
    bool fits = scratch.ranked != NULL && scratch.tokens != NULL && scratch.pairs != NULL &&
                fact->slots != NULL;
    if (fits) {
        fact->n_texts = reads->n_texts;
        fact->n_tokens = reads->n_tokens;
        fact->n_reads = reads->n;
        fact->n_slots = reads->n_slots;
        slot_ranking_run(&ranking, 0, slots_of(reads), reads->n_slots, scratch.ranked);
        for (size_t i = 0; i < reads->n_slots; i++) make_slot(reads, background, i, &scratch, fact);
    }
    free(scratch.pairs);
    free(scratch.tokens);
    free(scratch.ranked);
    return fits ? MNEME_OK : error_set_memory(error, "the slots");
}

void slot_fact_free(struct slot_fact *fact) {
    free(fact->slots);
    *fact = (struct slot_fact){0};
}

size_t slot_trainable_set(const struct slot_reads *reads, const struct background *background,
                          struct trainable_rule rule, struct ranked_slot *ranked, int32_t *set) {
    const struct slot_ranking ranking =
        slot_ranking_make(SLOTS_TF_IDF, background, (struct slot_range){0, background->n_slots}, 0);
    struct taken taken = {.rule = rule};
    size_t n = 0;
    slot_ranking_run(&ranking, 0, slots_of(reads), reads->n_slots, ranked);
    for (size_t i = 0; i < reads->n_slots; i++) {
        int32_t slot = reads->slots[ranked[i].group];
        if (take(&taken, slot)) set[n++] = slot;
    }
    qsort(set, n, sizeof *set, by_number);
    return n;
}

size_t slot_common(size_t n_a, const int32_t *a, size_t n_b, const int32_t *b) {
    size_t common = 0;
    for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
        common += a[i] == b[j];
        int32_t least = a[i] < b[j] ? a[i] : b[j];
        i += a[i] == least;
        j += b[j] == least;
    }
    return common;
}

double slot_overlap_mean(const struct slot_overlap *overlap, size_t *most, size_t *most_i,
                         size_t *most_j) {
    double sum = 0.0;
    size_t n = overlap->n, n_pairs = 0;
    *most = *most_i = *most_j = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            uint32_t common = overlap->common[i * n + j];
            sum += (double)common;
            n_pairs++;
            if (common <= *most) continue;
            *most = common;
            *most_i = i;
            *most_j = j;
        }
    }
    return n_pairs == 0 ? 0.0 : sum / (double)n_pairs;
}
