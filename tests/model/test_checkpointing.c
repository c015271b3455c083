/* A backward pass that makes activations again gives the bits of one that kept them, and takes the
 * memory that it says. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"
#include "model/adapter.h"
#include "model/batch_reads.h"
#include "model/tiny_model.h"
#include "smf/memory_inputs.h"
#include "train/optimizer.h"

/* A step's gradients and what it says of the slots. */
struct found {
    struct pass pass;
    struct gradients gradients;
    struct row_scatter reads;
};

static void run(struct found *f, const struct model *model, struct adapter_set *adapters,
                const struct memory_inputs *inputs, const uint32_t *texts,
                const struct batch *batch, struct backward_extent extent) {
    mneme_error error = {0};
    f->pass.adapters = adapters;
    for (int i = 0; i < 2; i++) { /* as two micro-batches, which find what the one before left */
        if (inputs == NULL) {
            assert_ok(model_forward(&f->pass, batch, NULL, &error), &error);
        } else {
            memory_inputs_place(inputs, &f->pass, batch->n_sequences, texts);
            assert_ok(model_forward_from_memory(&f->pass, batch, &error), &error);
        }
        model_loss(&f->pass, batch, 0.25f, &f->gradients);
        if (model->config.memory.n_layers > 0) batch_reads_sort(&f->reads, &f->pass);
        model_backward(&f->pass, batch, &f->gradients, extent);
    }
    model_finish_gradients(&f->pass, &f->gradients);
}

static void open_found(struct found *f, struct model *model, size_t max_tokens, bool checkpoints,
                       struct parameter *const *trained, size_t n) {
    mneme_error error = {0};
    *f = (struct found){0};
    assert_ok(pass_open_training(&f->pass, model, max_tokens, checkpoints, &error), &error);
    assert_ok(gradients_open(&f->gradients, n, trained, &error), &error);
    if (model->config.memory.n_layers == 0) return;
    assert_ok(batch_reads_open(&f->reads, model, max_tokens, &error), &error);
}

static void close_found(struct found *f) {
    row_scatter_close(&f->reads);
    gradients_close(&f->gradients);
    pass_close(&f->pass);
}

static void compare(const struct model *model, const struct found *kept, const struct found *made,
                    struct parameter *const *trained, size_t n, size_t n_tokens) {
    const struct memory_config *m = &model->config.memory;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const float *a = gradient_of(&kept->gradients, trained[i]);
        const float *b = gradient_of(&made->gradients, trained[i]);
        for (size_t j = 0; j < trained[i]->count; j++) any |= a[j] != 0.0f;
        ck_assert_msg(memcmp(a, b, trained[i]->count * sizeof *a) == 0, "%s: other bits",
                      trained[i]->name);
    }
    ck_assert(any || n == 0);
    if (m->n_layers == 0) return;
    const size_t last = (m->n_layers - 1) * kept->pass.max_tokens * m->v_dim;
    ck_assert_mem_eq(kept->pass.activations.d_reads, made->pass.activations.d_reads,
                     (last + n_tokens * m->v_dim) * sizeof(float));
    ck_assert_uint_eq(kept->reads.n_groups, made->reads.n_groups);
    ck_assert_mem_eq(kept->reads.group_rows, made->reads.group_rows,
                     kept->reads.n_groups * sizeof *kept->reads.group_rows);
}

/* The listed parameters' gradients, with and without. */
static void check_list(struct tiny_model *tiny, struct adapter_set *adapters,
                       struct parameter *const *trained, size_t n, struct backward_extent extent) {
    struct found kept, made;
    open_found(&kept, &tiny->model, tiny->pass.max_tokens, false, trained, n);
    open_found(&made, &tiny->model, tiny->pass.max_tokens, true, trained, n);
    run(&kept, &tiny->model, adapters, NULL, NULL, &tiny->batch, extent);
    run(&made, &tiny->model, adapters, NULL, NULL, &tiny->batch, extent);
    compare(&tiny->model, &kept, &made, trained, n, tiny->batch.n_tokens);
    ck_assert_uint_lt(made.pass.activations.arena.size, kept.pass.activations.arena.size);
    close_found(&kept);
    close_found(&made);
}

static void check_adapters(struct tiny_model *tiny) {
    struct adapter_set adapters;
    struct parameter **list;
    size_t n;
    mneme_error error = {0};
    assert_ok(adapter_set_open(&adapters, &tiny->model, 3, 6.0f, 0, 100, tiny->pass.max_tokens, 5,
                               &error),
              &error);
    for (size_t i = 0; i < adapters.n_adapters; i++) {
        struct parameter *b = &adapters.adapters[i].b;
        for (size_t j = 0; j < b->count; j++) b->data[j] = 0.1f * model_random_normal(4, i, j);
    }
    assert_ok(optimizer_list_adapters(&adapters, &list, &n, &error), &error);
    check_list(tiny, &adapters, list, n, (struct backward_extent){0});
    free(list);
    adapter_set_close(&adapters);
}

/* A pass that begins with the memory's inputs, as those of SMF do. */
static void check_from_memory(struct tiny_model *tiny) {
    static const uint32_t texts[] = {0, 1, 2, 3, 4};
    struct memory_inputs inputs;
    struct found kept, made;
    mneme_error error = {0};
    const struct backward_extent extent = {tiny->model.config.memory.layers[0], BACKWARD_TO_VALUES};
    const size_t most = tiny->pass.max_tokens;
    assert_ok(memory_inputs_open(&inputs, &tiny->model, 5, most, &error), &error);
    open_found(&kept, &tiny->model, most, false, NULL, 0);
    open_found(&made, &tiny->model, most, true, NULL, 0);
    assert_ok(memory_inputs_make(&inputs, &made.pass, &tiny->batch, &error), &error);
    run(&kept, &tiny->model, NULL, &inputs, texts, &tiny->batch, extent);
    run(&made, &tiny->model, NULL, &inputs, texts, &tiny->batch, extent);
    compare(&tiny->model, &kept, &made, NULL, 0, tiny->batch.n_tokens);
    memory_inputs_close(&inputs);
    close_found(&kept);
    close_found(&made);
}

static void check(const struct model_config *config) {
    struct tiny_model tiny;
    struct parameter **list;
    size_t n;
    mneme_error error = {0};
    tiny_model_open(&tiny, config);
    assert_ok(optimizer_list_model(&tiny.model, &list, &n, &error), &error);
    check_list(&tiny, NULL, list, n, (struct backward_extent){0});
    check_list(&tiny, NULL, list, n, (struct backward_extent){1, BACKWARD_WHOLE});
    free(list);
    check_adapters(&tiny);
    if (config->memory.n_layers > 0) {
        assert_ok(optimizer_list_memory(&tiny.model, &list, &n, &error), &error);
        check_list(&tiny, NULL, list, n,
                   (struct backward_extent){config->memory.layers[0], BACKWARD_TO_MEMORY});
        free(list);
        check_list(&tiny, NULL, NULL, 0,
                   (struct backward_extent){config->memory.layers[0], BACKWARD_TO_VALUES});
        check_from_memory(&tiny);
    }
    tiny_model_close(&tiny);
}

START_TEST(plain_transformer) {
    struct model_config config = tiny_model_config();
    config.memory = (struct memory_config){0};
    config.tied_output = true;
    check(&config);
    config.qk_norm = true;
    config.attention_bias = ATTENTION_BIAS_QKVO;
    config.mlp_bias = true;
    check(&config);
}
END_TEST

START_TEST(memory_layers) {
    struct model_config config = tiny_model_config();
    check(&config);
    config.memory.lookup_norm = true;
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2; /* the last layer */
    check(&config);
    config.memory.share_values = true;
    check(&config);
}
END_TEST

START_TEST(variants) {
    struct model_config config = tiny_model_config();
    config.memory.gated = true;
    check(&config);
    config.memory.swilu_projection = false;
    config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    config.memory.peer_variant = true;
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    check(&config);
}
END_TEST

START_TEST(beside) {
    struct model_config config = tiny_model_config();
    config.memory.placement = MEMORY_BESIDE;
    config.memory.scale = 0.7f;
    check(&config);
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    config.memory.gated = true;
    check(&config);
}
END_TEST

/* What is kept of each layer is its input; of all the rest there is one layer's. */
START_TEST(bytes) {
    struct model_config config = tiny_model_config();
    config.memory = (struct memory_config){0};
    struct activation_line lines[LAYER_ACTIVATIONS];
    size_t layer = 0, n_lines = 0;
    layer_activation_lines(&config, true, false, lines);
    for (size_t i = 0; i < LAYER_ACTIVATIONS; i++) {
        if (!lines[i].exists) continue;
        layer += lines[i].width;
        n_lines++;
    }
    const struct pass_size size = {
        .tokens = 512, .positions = 40, .logits = 1, .checkpoints = true};
    mneme_error error = {0};
    size_t sizes[2];
    for (size_t i = 0; i < 2; i++) {
        struct activations a;
        config.n_layers = i == 0 ? 1 : 9;
        assert_ok(activations_open(&a, &config, &size, true, &error), &error);
        sizes[i] = a.arena.size;
        activations_close(&a);
    }
    ck_assert_uint_eq(sizes[1] - sizes[0], 8 * size.tokens * config.dim * sizeof(float));
    ck_assert_uint_ge(sizes[0], size.tokens * layer * sizeof(float));
    ck_assert_uint_le(sizes[0], size.tokens * (layer + 3 * config.dim) * sizeof(float) + 8192);
}
END_TEST

Suite *checkpointing_suite(void) {
    Suite *suite = suite_create("checkpointing");
    TCase *tests = tcase_create("passes");
    tcase_add_test(tests, plain_transformer);
    tcase_add_test(tests, memory_layers);
    tcase_add_test(tests, variants);
    tcase_add_test(tests, beside);
    tcase_add_test(tests, bytes);
    suite_add_tcase(suite, tests);
    return suite;
}
