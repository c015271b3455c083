#ifndef SMF_MEMORY_INPUTS_H
#define SMF_MEMORY_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "model/pass.h"

/* What the first memory layer gets from some texts, kept while nothing below the layer's values
 * changes: batches of these texts, in any order and number, then need no pass below it. Since a
 * token's numbers do not depend on what else is in the batch (rule 8), no bit is another. */
struct memory_inputs {
    size_t max_texts, max_tokens;
    size_t n_texts;
    size_t *starts;    /* [max_texts + 1] a text's first token */
    float *stream;     /* [max_tokens, dim] */
    float *ffn_normed; /* [max_tokens, dim] */
    int32_t *slots;    /* [max_tokens, heads, knn] */
    float *weights;    /* [max_tokens, heads, knn] */
    struct arena arena;
};

/* Room for max_texts texts of max_tokens tokens together. */
mneme_status memory_inputs_open(struct memory_inputs *inputs, const struct model *model,
                                size_t max_texts, size_t max_tokens, mneme_error *error);
void memory_inputs_close(struct memory_inputs *inputs);

/* Keeps those of the batch's sequences, which are the texts from now on: at most max_texts of them,
 * with max_tokens tokens together. MNEME_FAILED when the pass is (model_forward_to_memory). */
mneme_status memory_inputs_make(struct memory_inputs *inputs, struct pass *pass,
                                const struct batch *batch, mneme_error *error);

/* Brings a pass as far as PASS_AT_MEMORY with n texts (numbers in [0, n_texts)), one after the
 * other, for model_forward_from_memory with a batch of these texts. */
void memory_inputs_place(const struct memory_inputs *inputs, struct pass *pass, size_t n,
                         const uint32_t *texts);

#endif
