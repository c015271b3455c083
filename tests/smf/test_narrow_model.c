/* A model of 16 bits computes what the same model in f32 does, bit for bit, on every instruction
 * set and with any number of threads: logits, gradients, sparse finetuning. Its rows that change
 * are f32; what is saved is what there is. */

#include <check.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/batch_builder.h"
#include "model/pass.h"
#include "model/tiny_model.h"
#include "simd/simd.h"
#include "smf/sparse_step.h"
#include "smf/value_rows.h"
#include "tensor/model_digest.h"
#include "tests/assertions.h"
#include "tests/temporary.h"
#include "tests/tensor/odd_file.h"

/* Tables and weights that are large enough to stay in the file. Forms: Memory+ with one table, and
 * PEER with two. */
static struct model_config config_of(int peer) {
    struct model_config config = tiny_model_config();
    config.vocab_size = 900;
    config.dim = 80;
    config.memory.n_keys = 40;
    if (peer == 0) return config;
    config.tied_output = true;
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    config.memory.peer_variant = true;
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    return config;
}

static const enum stored_type narrow_types[] = {STORED_BF16, STORED_F16};

/* Folders "narrow" and "wide" with the same numbers. */
static void save_both(int peer, enum stored_type type) {
    static const enum stored_type f32 = STORED_F32;
    const struct model_config config = config_of(peer);
    struct model model;
    mneme_error error;
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 7);
    assert_ok(model_save_as(&model, temporary_path("narrow"), &type, &error), &error);
    model_close(&model);
    assert_ok(model_load(temporary_path("narrow"), &model, &error), &error);
    assert_ok(model_save_as(&model, temporary_path("wide"), &f32, &error), &error);
    model_close(&model);
}

/* A pass over a batch of ragged sequences with a model from a folder. */
struct run {
    struct model model;
    struct pass pass;
    struct batch_builder builder;
    struct batch batch;
};

static void open_run(struct run *run, const char *folder, bool packed) {
    struct tiny_model tiny;
    const struct model_config config = tiny_model_config();
    mneme_error error;
    assert_ok(model_map(temporary_path(folder), &run->model, &error), &error);
    assert_ok(pass_open(&run->pass, &run->model, 64, true, &error), &error);
    if (packed) assert_ok(pass_pack(&run->pass, 0, &error), &error);
    tiny_model_open(&tiny, &config);
    run->builder = tiny.builder;
    run->batch = tiny.batch;
    tiny.builder = (struct batch_builder){0};
    tiny_model_close(&tiny);
}

static void close_run(struct run *run) {
    batch_builder_close(&run->builder);
    pass_close(&run->pass);
    model_close(&run->model);
}

static const struct sparse_settings settings[] = {
    {.n_trainable = 60, .selection = SLOTS_TF, .optimizer = SPARSE_SGD, .lr = 5.0f},
    {.n_trainable = 60,
     .selection = SLOTS_TF,
     .optimizer = SPARSE_ADAMW_DENSE,
     .adamw = {.beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f},
     .lr = 0.01f,
     .keys_lr = 0.5f}};

/* Three steps of sparse finetuning; writes losses [3]. */
static void finetune(struct run *run, const struct sparse_settings *chosen, float *losses) {
    struct background background;
    struct sparse_stepper stepper;
    mneme_error error;
    const size_t n_slots = run->model.n_tables * model_n_slots(&run->model.config);
    assert_ok(background_open(&background, n_slots, &error), &error);
    assert_ok(sparse_stepper_open(&stepper, &run->model, &background, chosen, 64, &error), &error);
    for (int step = 0; step < 3; step++) {
        struct sparse_step_result result;
        assert_ok(sparse_step_run(&stepper, &run->pass, &run->batch, false, &result, &error),
                  &error);
        losses[step] = result.loss;
    }
    sparse_stepper_close(&stepper);
    background_close(&background);
}

static void assert_same_numbers(const struct model *a, const struct model *b) {
    for (size_t i = 0; i < a->n_parameters; i++) {
        const size_t count = a->parameters[i].count;
        float *of_a = malloc(count * sizeof *of_a), *of_b = malloc(count * sizeof *of_b);
        parameter_read(&a->parameters[i], 0, count, of_a);
        parameter_read(&b->parameters[i], 0, count, of_b);
        ck_assert_msg(memcmp(of_a, of_b, count * sizeof *of_a) == 0, "%s", a->parameters[i].name);
        free(of_a);
        free(of_b);
    }
}

/* The batch's losses and its last logits: what they were in f32. */
static void compare(struct run *narrow, struct run *wide, int which) {
    float losses[2][3] = {{0}};
    mneme_error error;
    struct run *const both[] = {narrow, wide};
    const size_t n = wide->batch.n_tokens, size = n * wide->model.config.vocab_size;
    float *logits[2];
    for (int i = 0; i < 2; i++) {
        logits[i] = malloc(size * sizeof **logits);
        assert_ok(model_forward(&both[i]->pass, &both[i]->batch, NULL, &error), &error);
        model_logits(&both[i]->pass, n, both[i]->pass.activations.output_normed, logits[i]);
    }
    ck_assert_mem_eq(logits[0], logits[1], size * sizeof **logits);
    /* One row alone, as decoding has it. */
    model_logits(&narrow->pass, 1, narrow->pass.activations.output_normed, logits[0]);
    ck_assert_mem_eq(logits[0], logits[1], wide->model.config.vocab_size * sizeof **logits);
    for (int i = 0; i < 2; i++) {
        finetune(both[i], &settings[which], losses[i]);
        free(logits[i]);
    }
    ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
    assert_same_numbers(&narrow->model, &wide->model);
}

static void check_case(int peer, enum stored_type type, bool packed, int which) {
    struct run narrow, wide;
    open_run(&narrow, "narrow", packed);
    open_run(&wide, "wide", packed);
    ck_assert_ptr_null(narrow.model.values);
    ck_assert_ptr_null(narrow.model.embedding->data);
    ck_assert_int_eq(narrow.model.embedding->narrow.type, type);
    ck_assert_ptr_null(narrow.model.layers[1].values->data);
    ck_assert(peer == 0 || narrow.model.layers[1].values_u->data == NULL);
    compare(&narrow, &wide, which);
    ck_assert_uint_gt(narrow.model.layers[1].values->changed->n, 0);
    close_run(&narrow);
    close_run(&wide);
}

/* Of plain and packed weights, rows that change by SGD, and by AdamW with the sub-keys beside. */
START_TEST(same_bits) {
    const enum simd_isa before = simd()->isa;
    const int threads[] = {1, 2, 5}, before_threads = omp_get_max_threads();
    const enum stored_type type = narrow_types[_i % 2];
    save_both(_i / 2, type);
    for (enum simd_isa isa = 0; isa < SIMD_ISA_COUNT; isa++) {
        if (!simd_use(isa)) continue;
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            omp_set_num_threads(threads[t]);
            check_case(_i / 2, type, t % 2 == 0, t == 1);
        }
    }
    omp_set_num_threads(before_threads);
    ck_assert(simd_use(before));
}
END_TEST

static void assert_digest(const struct model *model, const char *folder) {
    struct digest digest;
    mneme_digest of_file;
    mneme_error error;
    assert_ok(parameter_digest_model(model, &digest, &error), &error);
    assert_ok(model_digest_path(temporary_path(folder), &of_file, &error), &error);
    ck_assert_str_eq(digest.hex, of_file.sha256);
    model_digest_free(&of_file);
}

/* Unchanged it is saved as it came; with rows that 16 bits cannot hold their table is f32. */
START_TEST(saved_as_it_is) {
    struct run run;
    struct model again;
    float losses[3] = {0};
    mneme_error error;
    save_both(1, narrow_types[_i]);
    open_run(&run, "narrow", true);
    assert_digest(&run.model, "narrow");
    assert_ok(model_save(&run.model, temporary_path("same"), &error), &error);
    assert_digest(&run.model, "same");
    finetune(&run, &settings[0], losses);
    assert_ok(model_save(&run.model, temporary_path("taught"), &error), &error);
    assert_digest(&run.model, "taught");
    assert_ok(model_load(temporary_path("taught"), &again, &error), &error);
    assert_same_numbers(&run.model, &again);
    ck_assert_int_eq(again.embedding->file_type, narrow_types[_i]);
    ck_assert_int_eq(again.layers[1].values->file_type, STORED_F32);
    model_close(&again);
    close_run(&run);
}
END_TEST

/* Where numbers do not lie as they can be read, all is f32, and learns the same. */
START_TEST(oddly_placed) {
    struct run odd, wide;
    float losses[2][3] = {{0}};
    save_both(_i, STORED_BF16);
    make_odd(temporary_path("narrow/model.safetensors"));
    open_run(&odd, "narrow", true);
    open_run(&wide, "wide", true);
    ck_assert(odd.model.values != NULL && odd.model.embedding->data != NULL);
    ck_assert_ptr_null(odd.model.layers[1].values->changed);
    finetune(&odd, &settings[0], losses[0]);
    finetune(&wide, &settings[0], losses[1]);
    ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
    assert_same_numbers(&odd.model, &wide.model);
    close_run(&odd);
    close_run(&wide);
}
END_TEST

/* A number that f16 cannot hold is refused before anything is written; its own type is not. */
START_TEST(beyond_its_range) {
    const struct model_config config = tiny_model_config();
    const enum stored_type f16 = STORED_F16;
    struct model model;
    mneme_error error;
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 7);
    model.output->data[5] = -70000.0f;
    assert_refused(model_save_as(&model, temporary_path("m"), &f16, &error), &error,
                   MNEME_BAD_INPUT, "tensor `output.weight`: number 5 is -70000",
                   "more than F16 can hold");
    model.output->file_type = STORED_F16;
    ck_assert_int_eq(parameter_own_type(model.output), STORED_F32);
    model_close(&model);
}
END_TEST

/* A memory for a model of 16 bits that has none: the memory is f32 and can be written to. */
START_TEST(with_a_new_memory) {
    struct model_config config = config_of(0);
    const struct memory_config memory = config.memory;
    const enum stored_type bf16 = STORED_BF16;
    struct model model;
    mneme_error error;
    config.memory = (struct memory_config){0};
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 7);
    assert_ok(model_save_as(&model, temporary_path("m"), &bf16, &error), &error);
    model_close(&model);
    assert_ok(model_load_with_memory(temporary_path("m"), &memory, &model, &error), &error);
    ck_assert(model.embedding->data == NULL && model.values != NULL);
    for (size_t i = 0; i < model.n_parameters; i++) {
        struct parameter *p = &model.parameters[i];
        if ((p->roles & ROLE_MEMORY) != 0) p->data[p->count - 1] = 1.0f;
    }
    model_close(&model);
}
END_TEST

Suite *narrow_model_suite(void) {
    Suite *suite = suite_create("narrow_model");
    TCase *tests = tcase_create("16 bits");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_loop_test(tests, same_bits, 0, 4);
    tcase_add_loop_test(tests, saved_as_it_is, 0, 2);
    tcase_add_loop_test(tests, oddly_placed, 0, 2);
    tcase_add_test(tests, beyond_its_range);
    tcase_add_test(tests, with_a_new_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
