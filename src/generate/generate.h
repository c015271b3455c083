#ifndef GENERATE_GENERATE_H
#define GENERATE_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "generate/shared_prefix.h"
#include "model/batch_builder.h"
#include "model/pass.h"

/* Greedy decoding of many prompts side by side with a key-value cache. What a prompt gets does not
 * depend on the prompts beside it (rule 8). What prompts that follow each other have in common at
 * their beginning is read once. */

struct generator {
    const struct model *model;
    const bool *last_tokens; /* [vocab_size] borrowed, set after opening: a text ends after these;
                              * NULL: after none */
    /* Borrowed, set after opening: is told of a lone prompt's tokens so far whenever there is one
     * more; NULL: nobody is. */
    void (*heard)(void *listener, const int32_t *ids, size_t n);
    void *listener;
    size_t max_positions; /* prompt and continuation together */
    struct pass pass;     /* and cache: with room for the texts so far */
    struct batch_builder builder;
    struct kv_cache cache;
    size_t *rows;   /* [n_rows] cache row of each sequence of a pass */
    size_t *pasts;  /* [n_rows] tokens of a row's prompt that the cache holds */
    size_t *active; /* [n_rows] rows that go on */
    int32_t *next;  /* [n_rows] the token chosen */
    float *normed;  /* [n_rows, dim] */
    struct arena arena;
};

/* For n_rows sequences at a time, each up to max_positions (at most the model's max_seq_len) long.
 * What they need is made room for when they come. */
mneme_status generator_open(struct generator *generator, const struct model *model, size_t n_rows,
                            size_t max_positions, mneme_error *error);
void generator_close(struct generator *generator);

/* Continues each of n prompts (at least one token each) by up to max_new tokens, the one with the
 * highest logit each time (the lower id of equals), ending before any of
 * stops. outputs [n, max_new],
 * lengths [n]. A prompt that leaves no room continues less. */
mneme_status generate_greedy(struct generator *generator, size_t n,
                             const struct token_span *prompts, size_t max_new,
                             struct token_span stops, int32_t *outputs, size_t *lengths,
                             mneme_error *error);

#endif
