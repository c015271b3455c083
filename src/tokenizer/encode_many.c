#include "tokenizer/encode_many.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/tokenizer_parts.h"

/* Where the ids of a text are until all are there: in the list of the thread that made them. */
struct place {
    size_t thread, start, end;
};

/* What one thread made. */
struct part {
    struct token_list ids;
    mneme_status status;
    mneme_error error;
};

struct many {
    struct tokenizer *tokenizer;
    const struct encode_text *texts;
    size_t n, n_parts;
    struct part *parts;   /* [n_parts] */
    struct place *places; /* [n] */
};

/* Encoders for as many threads, beside the tokenizer's own; they stay, since they know words. */
static mneme_status add_encoders(struct tokenizer *tokenizer, size_t n_threads,
                                 mneme_error *error) {
    size_t n = n_threads - 1, before = tokenizer->n_more_encoders;
    if (n <= before) return MNEME_OK;
    struct encoder *more = realloc(tokenizer->more_encoders, n * sizeof *more);
    if (more == NULL) return error_set_memory(error, "the words of texts");
    memset(more + before, 0, (n - before) * sizeof *more);
    tokenizer->more_encoders = more;
    tokenizer->n_more_encoders = n;
    return MNEME_OK;
}

static void encode_one(const struct many *many, size_t i, size_t thread) {
    struct part *part = &many->parts[thread];
    struct tokenizer *tokenizer = many->tokenizer;
    struct encoder *encoder =
        thread == 0 ? &tokenizer->encoder : &tokenizer->more_encoders[thread - 1];
    many->places[i] = (struct place){thread, part->ids.n, part->ids.n};
    if (part->status != MNEME_OK) return;
    part->status = encoder_run(encoder, tokenizer, SPLIT_DATA, many->texts[i].bytes,
                               many->texts[i].length, &part->ids, &part->error);
    many->places[i].end = part->ids.n;
}

/* Texts differ in length, so each thread takes the next one when it is free. */
static void encode_all(const struct many *many) {
#pragma omp parallel for schedule(dynamic, 1) num_threads((int)many->n_parts)
    for (size_t i = 0; i < many->n; i++) encode_one(many, i, (size_t)omp_get_thread_num());
}

/* The ids in the order of the texts. */
static mneme_status gather(const struct many *many, struct token_list *ids, size_t *ends,
                           mneme_error *error) {
    for (size_t i = 0; i < many->n_parts; i++) {
        if (many->parts[i].status == MNEME_OK) continue;
        if (error != NULL) *error = many->parts[i].error;
        return many->parts[i].status;
    }
    for (size_t i = 0; i < many->n; i++) {
        const struct place *place = &many->places[i];
        const int32_t *made = many->parts[place->thread].ids.ids;
        if (place->end > place->start) {
            TRY(token_list_append(ids, made + place->start, place->end - place->start, error));
        }
        ends[i] = ids->n;
    }
    return MNEME_OK;
}

mneme_status tokenizer_encode_many(struct tokenizer *tokenizer, size_t n,
                                   const struct encode_text *texts, struct token_list *ids,
                                   size_t *ends, mneme_error *error) {
    size_t n_threads = (size_t)omp_get_max_threads();
    if (n == 0) return MNEME_OK;
    if (n_threads > n) n_threads = n;
    struct many many = {tokenizer,
                        texts,
                        n,
                        n_threads,
                        calloc(n_threads, sizeof *many.parts),
                        calloc(n, sizeof *many.places)};
    mneme_status status = many.parts == NULL || many.places == NULL
                              ? error_set_memory(error, "the ids of texts")
                              : add_encoders(tokenizer, n_threads, error);
    if (status == MNEME_OK) encode_all(&many);
    THEN(gather(&many, ids, ends, error));
    for (size_t i = 0; many.parts != NULL && i < n_threads; i++) {
        token_list_free(&many.parts[i].ids);
    }
    free(many.parts);
    free(many.places);
    return status;
}
