/* Weights that stay in their file are those that reading gives; the file can be given back, and is
 * not written to. */

#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "model/tiny_model.h"
#include "tensor/safetensors.h"
#include "tests/assertions.h"
#include "tests/temporary.h"
#include "tests/tensor/odd_file.h"

/* A model with weights that are large enough to stay in the file, and small ones that are not. */
static struct model_config large_config(void) {
    struct model_config config = tiny_model_config();
    config.vocab_size = 900;
    return config;
}

static void save_model(const struct model_config *config) {
    struct model model;
    mneme_error error;
    assert_ok(model_open(config, &model, &error), &error);
    model_initialize(&model, 7);
    assert_ok(model_save(&model, temporary_path("m"), &error), &error);
    model_close(&model);
}

static size_t count_in_file(const struct model *model) {
    size_t n = 0;
    for (size_t i = 0; i < model->n_parameters; i++) n += model->parameters[i].in_file;
    return n;
}

static void assert_same_weights(const struct model *a, const struct model *b) {
    ck_assert_uint_eq(a->n_parameters, b->n_parameters);
    for (size_t i = 0; i < a->n_parameters; i++) {
        const size_t count = a->parameters[i].count;
        float *of_a = malloc(count * sizeof *of_a), *of_b = malloc(count * sizeof *of_b);
        parameter_read(&a->parameters[i], 0, count, of_a);
        parameter_read(&b->parameters[i], 0, count, of_b);
        ck_assert_mem_eq(of_a, of_b, count * sizeof *of_a);
        free(of_a);
        free(of_b);
    }
}

START_TEST(same_as_read) {
    const struct model_config config = large_config();
    struct model read, mapped;
    mneme_error error;
    save_model(&config);
    assert_ok(model_load(temporary_path("m"), &read, &error), &error);
    assert_ok(model_map(temporary_path("m"), &mapped, &error), &error);
    ck_assert_uint_eq(count_in_file(&read), 0);
    ck_assert_uint_eq(count_in_file(&mapped), 2); /* the embedding and the output */
    assert_same_weights(&read, &mapped);
    model_forget_files(&mapped);
    assert_same_weights(&read, &mapped);
    /* Values are the model's own. */
    mapped.values[0] += 1.0f;
    model_close(&mapped);
    model_close(&read);
}
END_TEST

/* KiB of a mapping that are in memory. */
static size_t resident_of(const void *mapping) {
    char start[64], line[512];
    size_t resident = SIZE_MAX;
    FILE *maps = fopen("/proc/self/smaps", "r");
    ck_assert_ptr_nonnull(maps);
    snprintf(start, sizeof start, "%zx-", (size_t)(uintptr_t)mapping);
    bool found = false;
    while (resident == SIZE_MAX && fgets(line, sizeof line, maps) != NULL) {
        found = found || strncmp(line, start, strlen(start)) == 0;
        if (found && sscanf(line, "Rss: %zu", &resident) != 1) resident = SIZE_MAX;
    }
    fclose(maps);
    return resident;
}

START_TEST(given_back) {
    const struct model_config config = large_config();
    struct model model;
    mneme_error error;
    float sum = 0.0f;
    save_model(&config);
    assert_ok(model_map(temporary_path("m"), &model, &error), &error);
    for (size_t i = 0; i < model.output->count; i++) sum += model.output->data[i];
    ck_assert(isfinite(sum));
    ck_assert_uint_gt(resident_of(model.files.files[0].bytes), 64);
    model_forget_files(&model);
    /* What remains are the pages that the weights share with their neighbours. */
    ck_assert_uint_le(resident_of(model.files.files[0].bytes), 64);
    model_close(&model);
}
END_TEST

START_TEST(not_written_to) {
    const struct model_config config = large_config();
    struct model model;
    mneme_error error;
    save_model(&config);
    assert_ok(model_map(temporary_path("m"), &model, &error), &error);
    model.output->data[0] = 1.0f;
}
END_TEST

/* Writes the model's file again, its embedding as `data` of that type. */
static void save_other_embedding(const struct model_config *config, enum tensor_type type,
                                 const void *data) {
    struct model model;
    mneme_error error;
    assert_ok(model_open(config, &model, &error), &error);
    model_initialize(&model, 7);
    struct tensor *tensors = calloc(model.n_parameters, sizeof *tensors);
    for (size_t i = 0; i < model.n_parameters; i++) {
        tensors[i] = parameter_tensor(&model.parameters[i], model.parameters[i].data);
        if (&model.parameters[i] != model.embedding) continue;
        tensors[i].type = type;
        tensors[i].data = data;
    }
    assert_ok(safetensors_write(temporary_path("m/model.safetensors"), tensors, model.n_parameters,
                                NULL, 0, &error),
              &error);
    free(tensors);
    model_close(&model);
}

START_TEST(sixteen_bits) {
    const struct model_config config = large_config();
    const size_t count = config.vocab_size * config.dim;
    uint16_t *halves = calloc(count, sizeof *halves);
    struct model read, mapped;
    mneme_error error;
    for (size_t i = 0; i < count; i++) halves[i] = (uint16_t)(i % 0x7c00);
    save_model(&config);
    save_other_embedding(&config, TENSOR_F16, halves);
    assert_ok(model_load(temporary_path("m"), &read, &error), &error);
    assert_ok(model_map(temporary_path("m"), &mapped, &error), &error);
    ck_assert(mapped.embedding->in_file && mapped.output->in_file);
    ck_assert(mapped.embedding->data == NULL && mapped.embedding->narrow.type == STORED_F16);
    ck_assert(read.embedding->data[0x3c00] == 1.0f);
    assert_same_weights(&read, &mapped);
    model_close(&mapped);
    model_close(&read);
    free(halves);
}
END_TEST

/* Another program's header may have any length; numbers that then lie oddly are read. */
START_TEST(oddly_placed) {
    const struct model_config config = large_config();
    const size_t count = config.vocab_size * config.dim;
    uint16_t *halves = calloc(count, sizeof *halves);
    struct model read, mapped;
    mneme_error error;
    for (size_t i = 0; i < count; i++) halves[i] = (uint16_t)(i % 0x7c00);
    save_model(&config);
    save_other_embedding(&config, TENSOR_F16, halves);
    make_odd(temporary_path("m/model.safetensors"));
    assert_ok(model_load(temporary_path("m"), &read, &error), &error);
    assert_ok(model_map(temporary_path("m"), &mapped, &error), &error);
    ck_assert(!mapped.embedding->in_file && mapped.embedding->data != NULL);
    ck_assert_uint_eq(count_in_file(&mapped), 0);
    assert_same_weights(&read, &mapped);
    model_close(&mapped);
    model_close(&read);
    free(halves);
}
END_TEST

/* A file whose embedding is `data` of that type is refused, naming the element. */
static void check_not_finite(enum tensor_type type, const void *data, const char *element) {
    const struct model_config config = large_config();
    struct model model;
    mneme_error error;
    save_model(&config);
    save_other_embedding(&config, type, data);
    assert_refused(model_map(temporary_path("m"), &model, &error), &error, MNEME_BAD_INPUT,
                   "tensor `tok_embeddings.weight`", element);
}

START_TEST(not_finite) {
    const struct model_config config = large_config();
    const size_t count = config.vocab_size * config.dim;
    uint16_t *bits = calloc(count, sizeof *bits);
    float *values = calloc(count, sizeof *values);
    bits[count - 30] = 0xff80; /* -infinity as bf16; a number as f16 */
    bits[count - 1] = 0x7c01;  /* NaN as f16; a number as bf16 */
    check_not_finite(TENSOR_BF16, bits, "element [898,18] is infinite");
    bits[count - 30] = 0;
    check_not_finite(TENSOR_F16, bits, "element [899,23] is NaN");
    values[count - 1] = values[count - 30] = NAN;
    check_not_finite(TENSOR_F32, values, "element [898,18] is NaN");
    free(values);
    free(bits);
}
END_TEST

/* A memory for a model without one: its parameters are not in the file, and can be written to. */
START_TEST(with_a_memory) {
    struct model_config config = large_config();
    const struct memory_config memory = config.memory;
    struct model model;
    mneme_error error;
    config.memory = (struct memory_config){0};
    save_model(&config);
    assert_ok(model_load_with_memory(temporary_path("m"), &memory, &model, &error), &error);
    ck_assert_uint_eq(count_in_file(&model), 2);
    for (size_t i = 0; i < model.n_parameters; i++) {
        struct parameter *p = &model.parameters[i];
        if ((p->roles & ROLE_MEMORY) != 0) p->data[p->count - 1] = 1.0f;
    }
    model_close(&model);
}
END_TEST

Suite *mapped_weights_suite(void) {
    Suite *suite = suite_create("mapped_weights");
    TCase *tests = tcase_create("mapped weights");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, same_as_read);
    tcase_add_test(tests, given_back);
    tcase_add_test(tests, sixteen_bits);
    tcase_add_test(tests, oddly_placed);
    tcase_add_test(tests, not_finite);
    tcase_add_test(tests, with_a_memory);
    if (!HAS_ADDRESS_SANITIZER) tcase_add_test_raise_signal(tests, not_written_to, SIGSEGV);
    suite_add_tcase(suite, tests);
    return suite;
}
