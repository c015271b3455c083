/* What a pass asks of those who make it: gradients where something trains, and its calls in order.
 */

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "assertions.h"
#include "model/batch_reads.h"
#include "model/tiny_model.h"

static void forward(struct tiny_model *tiny) {
    mneme_error error;
    assert_ok(model_forward(&tiny->pass, &tiny->batch, NULL, &error), &error);
}

/* Nothing is allocated for a frozen model, and its backward pass ends all the same. */
START_TEST(frozen) {
    const struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct gradients gradients;
    mneme_error error;
    tiny_model_open(&tiny, &config);
    assert_ok(gradients_open(&gradients, 0, NULL, &error), &error);
    ck_assert_ptr_null(gradients.arrays);
    ck_assert_ptr_null(gradients.arena.base);
    for (size_t i = 0; i < tiny.model.n_parameters; i++) {
        ck_assert_ptr_null(gradient_of(&gradients, &tiny.model.parameters[i]));
    }
    forward(&tiny);
    model_loss(&tiny.pass, &tiny.batch, 1.0f, &gradients);
    model_backward(&tiny.pass, &tiny.batch, &gradients, (struct backward_extent){0});
    gradients_close(&gradients);
    tiny_model_close(&tiny);
}
END_TEST

/* Only what is listed trains; the value tables of two layers follow each other. */
START_TEST(some_train) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct gradients gradients;
    mneme_error error;
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    config.tied_output = true;
    tiny_model_open(&tiny, &config);
    struct model *model = &tiny.model;
    struct parameter *trained[] = {model->layers[1].values, model->layers[2].values,
                                   model->layers[0].wq};
    assert_ok(gradients_open(&gradients, 3, trained, &error), &error);
    ck_assert_ptr_eq(gradient_of(&gradients, trained[1]),
                     gradient_of(&gradients, trained[0]) + trained[0]->count);
    ck_assert_ptr_nonnull(gradient_of(&gradients, trained[2]));
    ck_assert_ptr_null(gradient_of(&gradients, model->layers[0].wk));
    ck_assert_ptr_null(gradient_of(&gradients, model->output));
    ck_assert_ptr_null(gradients.tied_output);
    gradients_close(&gradients);
    /* The embedding is the output, too: its two chains are apart until they are joined. */
    trained[0] = model->embedding;
    assert_ok(gradients_open(&gradients, 1, trained, &error), &error);
    ck_assert_ptr_nonnull(gradients.tied_output);
    gradients.tied_output[7] = 2.0f;
    gradient_of(&gradients, model->embedding)[7] = 0.5f;
    gradients_join_tied(&gradients);
    ck_assert(gradient_of(&gradients, model->output)[7] == 2.5f);
    gradients_close(&gradients);
    tiny_model_close(&tiny);
}
END_TEST

/* The slots that a batch read, against counting them one by one. */
START_TEST(sorted_reads) {
    const struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct row_scatter sorted;
    mneme_error error;
    tiny_model_open(&tiny, &config);
    assert_ok(batch_reads_open(&sorted, &tiny.model, tiny.pass.max_tokens, &error), &error);
    forward(&tiny);
    batch_reads_sort(&sorted, &tiny.pass);
    const struct slots_read read = batch_reads_slots(&sorted);
    size_t n_slots = model_n_slots(&config), n = 0;
    size_t *counts = calloc(n_slots, sizeof *counts);
    size_t n_reads = tiny.batch.n_tokens * config.memory.heads * config.memory.knn;
    for (size_t i = 0; i < n_reads; i++) counts[tiny.pass.activations.layers[1].slots[i]]++;
    for (size_t slot = 0; slot < n_slots; slot++) {
        if (counts[slot] == 0) continue;
        ck_assert_uint_lt(n, read.n);
        ck_assert_uint_eq((size_t)read.slots[n], slot);
        ck_assert_uint_eq(read.starts[n + 1] - read.starts[n], counts[slot]);
        n++;
    }
    ck_assert_uint_eq(n, read.n);
    free(counts);
    row_scatter_close(&sorted);
    tiny_model_close(&tiny);
}
END_TEST

/* Each of these is a call too early, or one too many. */
static void open_unused(struct tiny_model *tiny) {
    const struct model_config config = tiny_model_config();
    tiny_model_open(tiny, &config);
}

START_TEST(loss_before_forward) {
    struct tiny_model tiny;
    struct gradients none = {0};
    open_unused(&tiny);
    model_loss(&tiny.pass, &tiny.batch, 1.0f, &none);
}
END_TEST

START_TEST(backward_without_gradients_of_logits) {
    struct tiny_model tiny;
    struct gradients none = {0};
    open_unused(&tiny);
    forward(&tiny);
    model_loss(&tiny.pass, &tiny.batch, 0.0f, NULL);
    model_backward(&tiny.pass, &tiny.batch, &none, (struct backward_extent){0});
}
END_TEST

START_TEST(backward_twice) {
    struct tiny_model tiny;
    struct gradients none = {0};
    open_unused(&tiny);
    forward(&tiny);
    model_loss(&tiny.pass, &tiny.batch, 1.0f, &none);
    model_backward(&tiny.pass, &tiny.batch, &none, (struct backward_extent){0});
    model_backward(&tiny.pass, &tiny.batch, &none, (struct backward_extent){0});
}
END_TEST

START_TEST(loss_twice) {
    struct tiny_model tiny;
    struct gradients none = {0};
    open_unused(&tiny);
    forward(&tiny);
    model_loss(&tiny.pass, &tiny.batch, 1.0f, &none);
    model_loss(&tiny.pass, &tiny.batch, 1.0f, &none);
}
END_TEST

START_TEST(from_memory_without_inputs) {
    struct tiny_model tiny;
    mneme_error error;
    open_unused(&tiny);
    forward(&tiny);
    model_forward_from_memory(&tiny.pass, &tiny.batch, &error);
}
END_TEST

START_TEST(reads_before_forward) {
    struct tiny_model tiny;
    struct row_scatter sorted;
    mneme_error error;
    open_unused(&tiny);
    assert_ok(batch_reads_open(&sorted, &tiny.model, tiny.pass.max_tokens, &error), &error);
    batch_reads_sort(&sorted, &tiny.pass);
}
END_TEST

Suite *pass_suite(void) {
    Suite *suite = suite_create("pass");
    TCase *tests = tcase_create("passes"), *early = tcase_create("too early");
    tcase_add_test(tests, frozen);
    tcase_add_test(tests, some_train);
    tcase_add_test(tests, sorted_reads);
    tcase_add_test_raise_signal(early, loss_before_forward, SIGABRT);
    tcase_add_test_raise_signal(early, backward_without_gradients_of_logits, SIGABRT);
    tcase_add_test_raise_signal(early, backward_twice, SIGABRT);
    tcase_add_test_raise_signal(early, loss_twice, SIGABRT);
    tcase_add_test_raise_signal(early, from_memory_without_inputs, SIGABRT);
    tcase_add_test_raise_signal(early, reads_before_forward, SIGABRT);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, early);
    return suite;
}
