#include "data/documents.h"

#include <stdlib.h>

#include "base/random.h"
#include "base/text.h"
#include "text/text_list.h"

/* Draws about one rewrite: a permutation from its index on, wordings from the middle on. */
#define REWRITE_DRAWS ((uint64_t)1 << 20)

/* All facts in one text; the caller frees it. NULL without memory. */
static char *rewrite(const struct fact *facts, size_t n_facts, uint64_t seed, uint64_t number,
                     uint32_t *order) {
    const uint64_t stream = RANDOM_STREAM_DOCUMENT, first = number * REWRITE_DRAWS;
    struct text text = {0};
    random_permutation(seed, stream, first, n_facts, order);
    for (size_t i = 0; i < n_facts; i++) {
        const struct fact *fact = &facts[order[i]];
        uint32_t wording =
            random_below(seed, stream, first + REWRITE_DRAWS / 2 + i, (uint32_t)fact->n_texts);
        text_add(&text, "%s%s", i > 0 ? " " : "", fact->texts[wording]);
    }
    return text_take(&text);
}

static mneme_status add_lesson(const struct fact *facts, size_t n_facts, size_t rewrites,
                               uint64_t seed, struct corpus *corpus, mneme_error *error) {
    struct corpus_lesson *lesson = &corpus->lessons[corpus->n_lessons];
    struct text_list texts = {0};
    uint32_t *order = malloc(n_facts * sizeof *order);
    if (order == NULL) return error_set_memory(error, "documents");
    mneme_status status = MNEME_OK;
    for (size_t r = 0; r < rewrites && status == MNEME_OK; r++) {
        uint64_t number = (uint64_t)corpus->n_lessons * rewrites + r;
        status = text_list_add(&texts, rewrite(facts, n_facts, seed, number, order), error);
    }
    free(order);
    *lesson = (struct corpus_lesson){texts.texts, texts.n, n_facts};
    corpus->n_lessons++;
    return status;
}

mneme_status documents_make(size_t n_relations, const struct world_sizes *sizes, uint64_t seed,
                            struct corpus *corpus, mneme_error *error) {
    size_t per_chunk = sizes->facts_per_chunk;
    size_t chunks = (n_relations + per_chunk - 1) / per_chunk;
    corpus->lessons = calloc(sizes->fresh_subjects * chunks + 1, sizeof *corpus->lessons);
    if (corpus->lessons == NULL) return error_set_memory(error, "documents");
    for (size_t subject = 0; subject < sizes->fresh_subjects; subject++) {
        for (size_t first = 0; first < n_relations; first += per_chunk) {
            size_t left = n_relations - first;
            TRY(add_lesson(corpus->fresh + subject * n_relations + first,
                           left < per_chunk ? left : per_chunk, sizes->rewrites, seed, corpus,
                           error));
        }
    }
    return MNEME_OK;
}
