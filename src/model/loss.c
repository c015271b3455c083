/* The loss of a pass, and its gradient down to what the output layer reads. Both are made for the
 * tokens that have a target, in blocks of as many as there is room for logits: a vocabulary of
 * 50,000 tokens has logits fifty times as wide as the stream. */

#include <assert.h>
#include <string.h>

#include "model/pass.h"
#include "model/record_pass.h"
#include "nn/cross_entropy.h"
#include "nn/linear.h"
#include "profile/profile.h"

void model_logits(struct pass *pass, size_t n, const float *normed, float *logits) {
    const struct parameter *output = pass->model->output;
    linear_forward(&pass->scratch.matmul, n, output->shape[1], output->shape[0], normed,
                   parameter_stored(output), packed_weights_of(&pass->packed, output).forward, NULL,
                   logits);
}

/* The next block: its tokens and targets, from *next on, which then is the token after them. How
 * many. */
static size_t take_block(struct activations *a, const struct batch *batch, size_t *next) {
    size_t n = 0;
    for (; *next < batch->n_tokens && n < a->logits_rows; ++*next) {
        if (batch->targets[*next] == CROSS_ENTROPY_IGNORE) continue;
        a->predicting[n] = *next;
        a->predicted[n++] = batch->targets[*next];
    }
    return n;
}

/* Copies the block's rows out of an array [n_tokens, dim], or into it. */
static void gather_rows(const struct activations *a, size_t n, size_t dim, const float *from) {
    for (size_t i = 0; i < n; i++) {
        memcpy(a->predicting_normed + i * dim, from + a->predicting[i] * dim, dim * sizeof *from);
    }
}

static void scatter_rows(const struct activations *a, size_t n, size_t dim, float *to) {
    for (size_t i = 0; i < n; i++) {
        memcpy(to + a->predicting[i] * dim, a->predicting_normed + i * dim, dim * sizeof *to);
    }
}

/* The block's losses; with scale != 0 its logits become their gradients. */
static void block_loss(struct pass *pass, size_t n, float scale) {
    const struct model_config *config = &pass->model->config;
    struct activations *a = &pass->activations;
    gather_rows(a, n, config->dim, a->output_normed);
    model_logits(pass, n, a->predicting_normed, a->logits);
    cross_entropy(n, config->vocab_size, a->logits, a->predicted, scale, a->predicting_losses);
    for (size_t i = 0; i < n; i++) a->losses[a->predicting[i]] = a->predicting_losses[i];
}

/* From the gradients of the block's logits to those of the output layer, whose chains go on from
 * block to block, and of the rows that it read. */
static void block_backward(struct pass *pass, struct gradients *gradients, size_t n) {
    const struct parameter *output = pass->model->output;
    const size_t dim = output->shape[1], vocab_size = output->shape[0];
    struct activations *a = &pass->activations;
    struct scratch *s = &pass->scratch;
    float *gradient =
        gradients->tied != NULL ? gradients->tied_output : gradient_of(gradients, output);
    if (gradient != NULL) {
        linear_backward_weight(&s->matmul, n, dim, vocab_size, a->predicting_normed, a->logits,
                               gradient);
    }
    linear_backward_input(&s->matmul, n, dim, vocab_size, a->logits, parameter_stored(output),
                          packed_weights_of(&pass->packed, output).backward, a->predicting_normed,
                          false);
    scatter_rows(a, n, dim, s->d_normed);
}

void model_loss(struct pass *pass, const struct batch *batch, float scale,
                struct gradients *gradients) {
    const bool backward = scale != 0.0f;
    const size_t dim = pass->model->config.dim;
    struct activations *a = &pass->activations;
    assert(pass->stage >= PASS_FORWARD && batch->n_tokens == pass->n_tokens && a->logits_rows > 0);
    assert(!backward || (pass->training && pass->stage == PASS_FORWARD));
    profile_layer(PROFILE_OUTPUT, 0);
    memset(a->losses, 0, batch->n_tokens * sizeof *a->losses);
    if (backward) memset(pass->scratch.d_normed, 0, batch->n_tokens * dim * sizeof(float));
    float *logits_gradients = backward ? record_logits_begin(pass) : NULL;
    for (size_t next = 0, n; (n = take_block(a, batch, &next)) > 0;) {
        block_loss(pass, n, scale);
        record_logits_block(pass, n, logits_gradients);
        if (backward) block_backward(pass, gradients, n);
    }
    record_loss(pass, logits_gradients);
    pass->stage = backward ? PASS_LOSS : PASS_FORWARD;
}
