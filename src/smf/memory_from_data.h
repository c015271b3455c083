#ifndef SMF_MEMORY_FROM_DATA_H
#define SMF_MEMORY_FROM_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "corpus/packed_text.h"
#include "model/model.h"
#include "tokenizer/token_texts.h"

/* An empty memory with queries and keys from text, whatever the memory held before. Of each memory
 * layer:
 *
 * - Queries are a random projection of the layer's normed input x, minus its mean over n_tokens
 *   tokens of the texts, each component divided by its standard deviation there (and multiplied by
 * a sharpness). All that is folded into query_proj.
 * - Sub-keys are such half-queries of tokens drawn from these, without replacement while there are
 *   enough, made unit length.
 * - Values are zero, so that the model computes what it computes without them.
 *
 * All else (swilu_projection, value_proj, gating, scale) starts as model_initialize has it, biases
 * at 0. All memory layers are made in one pass over the texts: an upper layer's input does not
 * depend on an empty memory. */
struct memory_data_settings {
    size_t n_tokens; /* at most; at least as many as a half has sub-keys are taken */
    uint64_t seed;   /* of projections, and of the choice of texts and tokens */
    /* The components' standard deviation instead of 1, unless 0. The larger it is, the more a token
     * reads of the slots that fit it best alone. */
    float sharpness;
    const struct packed_text *packed; /* whose sequences are texts, too; NULL: none */
    const struct token_texts *common; /* of which every other batch is made; NULL: none */
    /* Called after each batch of texts; NULL: nobody is told. */
    void (*progress)(void *user, size_t tokens, size_t n_tokens);
    void *user;
};

#define MEMORY_DATA_TOKENS 8192

/* MNEME_BAD_INPUT without texts or where the config cannot have it (query_bias false); MNEME_FAILED
 * for a model whose numbers are not finite. */
mneme_status memory_from_data(struct model *model, const struct token_texts *texts,
                              const struct memory_data_settings *settings, mneme_error *error);

#endif
