/* The loss by blocks of the tokens that have a target: any size of block gives the same bits,
 * tokens without a target are as if they were not there, and the gradients are those of plain
 * loops. */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tiny_model.h"
#include "nn/cross_entropy.h"
#include "tests/assertions.h"
#include "train/optimizer.h"

/* A tiny model, its pass with room for so many logits, and the gradients of all parameters. */
struct fixture {
    struct tiny_model tiny;
    struct pass pass;
    struct gradients gradients;
    struct parameter **list;
    size_t n_list;
};

static void open_fixture(struct fixture *f, size_t logits, bool tied) {
    struct model_config config = tiny_model_config();
    mneme_error error = {0};
    config.tied_output = tied;
    tiny_model_open(&f->tiny, &config);
    const struct pass_size size = {
        .tokens = f->tiny.batch.n_tokens, .positions = config.max_seq_len, .logits = logits};
    assert_ok(pass_open_sized(&f->pass, &f->tiny.model, &size, true, &error), &error);
    assert_ok(optimizer_list_model(&f->tiny.model, &f->list, &f->n_list, &error), &error);
    assert_ok(gradients_open(&f->gradients, f->n_list, f->list, &error), &error);
}

static void close_fixture(struct fixture *f) {
    gradients_close(&f->gradients);
    free(f->list);
    pass_close(&f->pass);
    tiny_model_close(&f->tiny);
}

/* All but every n-th target is taken from the batch; 0: none is. */
static void ignore_targets(struct fixture *f, size_t kept) {
    int32_t *targets = f->tiny.builder.targets;
    for (size_t i = 0; kept > 0 && i < f->tiny.batch.n_tokens; i++) {
        if (i % kept != 1) targets[i] = CROSS_ENTROPY_IGNORE;
    }
}

static void forward(struct fixture *f) {
    mneme_error error = {0};
    assert_ok(model_forward(&f->pass, &f->tiny.batch, NULL, &error), &error);
}

static void find_gradients(struct fixture *f) {
    forward(f);
    model_loss(&f->pass, &f->tiny.batch, 0.25f, &f->gradients);
    model_backward(&f->pass, &f->tiny.batch, &f->gradients, (struct backward_extent){0});
    gradients_join_tied(&f->gradients);
}

/* Of 64 tokens: with all targets; every second; every thirtieth, in blocks that none fills. */
static const size_t kept_targets[] = {0, 2, 30};

START_TEST(any_block) {
    static const size_t rooms[] = {1, 7, 16};
    for (size_t r = 0; r < 3; r++) {
        struct fixture whole, blocks;
        open_fixture(&whole, 64, _i % 2 == 1);
        open_fixture(&blocks, rooms[r], _i % 2 == 1);
        ignore_targets(&whole, kept_targets[_i / 2]);
        ignore_targets(&blocks, kept_targets[_i / 2]);
        find_gradients(&whole);
        find_gradients(&blocks);
        ck_assert_mem_eq(whole.gradients.arena.base, blocks.gradients.arena.base,
                         whole.gradients.arena.size);
        ck_assert_mem_eq(whole.pass.activations.losses, blocks.pass.activations.losses,
                         whole.tiny.batch.n_tokens * sizeof(float));
        close_fixture(&whole);
        close_fixture(&blocks);
    }
}
END_TEST

/* softmax(logits) - onehot of a token's row, scaled, in double. */
static void plain_row(size_t n, const float *logits, size_t target, double *d_logits) {
    double largest = (double)logits[0], sum = 0.0;
    for (size_t i = 1; i < n; i++) largest = fmax(largest, (double)logits[i]);
    for (size_t i = 0; i < n; i++) sum += d_logits[i] = exp((double)logits[i] - largest);
    for (size_t i = 0; i < n; i++) {
        d_logits[i] = 0.25 * (d_logits[i] / sum - (i == target ? 1.0 : 0.0));
    }
}

static void check_close(double ours, double theirs) {
    ck_assert_msg(fabs(ours - theirs) <= 1e-5 * (1.0 + fabs(theirs)), "%g is not %g", ours, theirs);
}

/* A token's share of the output layer's gradient, and the gradient of what that read of it. */
static void plain_token(const struct fixture *f, size_t token, const double *d_logits,
                        double *d_weight) {
    const struct model_config *config = &f->tiny.model.config;
    const float *normed = f->pass.activations.output_normed + token * config->dim;
    for (size_t j = 0; j < config->dim; j++) {
        double d_normed = 0.0;
        for (size_t v = 0; v < config->vocab_size; v++) {
            d_normed += d_logits[v] * (double)f->tiny.model.output->data[v * config->dim + j];
            d_weight[v * config->dim + j] += d_logits[v] * (double)normed[j];
        }
        check_close((double)f->pass.scratch.d_normed[token * config->dim + j], d_normed);
    }
}

START_TEST(plain_loops) {
    struct fixture f;
    open_fixture(&f, 7, false);
    ignore_targets(&f, kept_targets[_i]);
    const struct batch *batch = &f.tiny.batch;
    const size_t vocab = f.tiny.model.config.vocab_size, dim = f.tiny.model.config.dim;
    float *logits = malloc(batch->n_tokens * vocab * sizeof *logits);
    double *d_weight = calloc(vocab * dim, sizeof *d_weight), d_logits[64] = {0};
    forward(&f);
    model_logits(&f.pass, batch->n_tokens, f.pass.activations.output_normed, logits);
    memset(f.pass.scratch.d_normed, 1, batch->n_tokens * dim * sizeof(float));
    model_loss(&f.pass, batch, 0.25f, &f.gradients);
    for (size_t i = 0; i < batch->n_tokens; i++) {
        if (batch->targets[i] == CROSS_ENTROPY_IGNORE) {
            ck_assert(f.pass.activations.losses[i] == 0.0f);
            for (size_t j = 0; j < dim; j++) {
                ck_assert(f.pass.scratch.d_normed[i * dim + j] == 0.0f);
            }
            continue;
        }
        plain_row(vocab, logits + i * vocab, (size_t)batch->targets[i], d_logits);
        plain_token(&f, i, d_logits, d_weight);
        check_close((double)f.pass.activations.losses[i],
                    -log(4.0 * d_logits[batch->targets[i]] + 1.0));
    }
    const float *gradient = gradient_of(&f.gradients, f.tiny.model.output);
    for (size_t i = 0; i < vocab * dim; i++) check_close((double)gradient[i], d_weight[i]);
    free(logits);
    free(d_weight);
    close_fixture(&f);
}
END_TEST

START_TEST(no_targets) {
    struct fixture f;
    open_fixture(&f, 7, false);
    ignore_targets(&f, 1000);
    f.tiny.builder.targets[1] = CROSS_ENTROPY_IGNORE;
    find_gradients(&f);
    for (size_t i = 0; i < f.n_list; i++) {
        const float *gradient = gradient_of(&f.gradients, f.list[i]);
        for (size_t j = 0; j < f.list[i]->count; j++) ck_assert(gradient[j] == 0.0f);
    }
    close_fixture(&f);
}
END_TEST

Suite *loss_suite(void) {
    Suite *suite = suite_create("loss");
    TCase *tests = tcase_create("loss");
    tcase_add_loop_test(tests, any_block, 0, 6);
    tcase_add_loop_test(tests, plain_loops, 0, 3);
    tcase_add_test(tests, no_targets);
    suite_add_tcase(suite, tests);
    return suite;
}
