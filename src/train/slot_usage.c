#include "train/slot_usage.h"

#include "model/model.h"
#include "simd/math.h"

#define WORD_BITS 64

mneme_status slot_usage_open(struct slot_usage *usage, const struct model *model,
                             mneme_error *error) {
    const size_t n_slots = model->n_tables * model_n_slots(&model->config);
    const size_t n_words = (n_slots + WORD_BITS - 1) / WORD_BITS;
    *usage = (struct slot_usage){.n_slots = n_slots, .n_words = n_words};
    const struct arena_piece pieces[] = {
        {&usage->ever, n_words, sizeof *usage->ever},
        {&usage->in_batch, n_words, sizeof *usage->in_batch},
        {&usage->counts, n_slots, sizeof *usage->counts},
    };
    return arena_layout(&usage->arena, sizeof pieces / sizeof *pieces, pieces, "the slots' usage",
                        error);
}

void slot_usage_close(struct slot_usage *usage) {
    arena_close(&usage->arena);
    *usage = (struct slot_usage){0};
}

bool slot_usage_is_sound(const struct slot_usage *usage) {
    const size_t in_last = usage->n_slots % WORD_BITS;
    return in_last == 0 || usage->ever[usage->n_words - 1] >> in_last == 0;
}

void slot_usage_add(struct slot_usage *usage, struct slots_read read) {
    for (size_t i = 0; i < read.n; i++) {
        const size_t slot = (size_t)read.slots[i], n = read.starts[i + 1] - read.starts[i];
        usage->in_batch[slot / WORD_BITS] |= (uint64_t)1 << slot % WORD_BITS;
        usage->counts[slot] += (uint32_t)n;
        usage->n_reads += n;
    }
}

/* Takes the slots of one word out of the batch: adds their c log c to the sum, returns how many
 * they are. */
static size_t end_word(struct slot_usage *usage, size_t word, double *sum) {
    size_t n = 0;
    for (uint64_t bits = usage->in_batch[word]; bits != 0; bits &= bits - 1, n++) {
        uint32_t *count = &usage->counts[word * WORD_BITS + (size_t)__builtin_ctzll(bits)];
        *sum += (double)*count * (double)math_log((float)*count);
        *count = 0;
    }
    usage->ever[word] |= usage->in_batch[word];
    usage->in_batch[word] = 0;
    return n;
}

struct slot_figures slot_usage_end_step(struct slot_usage *usage) {
    struct slot_figures figures = {0};
    double sum = 0.0, n_reads = (double)usage->n_reads;
    size_t n_ever = 0;
    for (size_t word = 0; word < usage->n_words; word++) {
        if (usage->in_batch[word] != 0) figures.slots += end_word(usage, word, &sum);
        n_ever += (size_t)__builtin_popcountll(usage->ever[word]);
    }
    if (usage->n_reads > 0) {
        figures.perplexity =
            (float)math_exp_double((double)math_log((float)usage->n_reads) - sum / n_reads);
    }
    if (usage->n_slots > 0) {
        figures.never_read = (float)((double)(usage->n_slots - n_ever) / (double)usage->n_slots);
    }
    usage->n_reads = 0;
    return figures;
}

bool slot_usage_collapsed(struct slot_figures figures, size_t n_slots, size_t n_reads) {
    const size_t most = n_slots < n_reads ? n_slots : n_reads;
    return (double)figures.perplexity < 0.01 * (double)most;
}
