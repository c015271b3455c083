/* llama2.c's .bin in: models of our own, files that lie, and a real model, held against what
 * tests/interchange/stories.py computes of it with NumPy alone. */

#include <mneme/generate.h>

#include <math.h>

#include "base/digest.h"
#include "eval/likelihood.h"
#include "tests/assertions.h"
#include "tests/data/data_sets.h"
#include "tests/interchange/imports.h"

/* A version-0 file of a model without memory layers. */
static size_t write_bin(struct model *model, bool tied, unsigned char *bytes) {
    const struct model_config config = {.vocab_size = 30,
                                        .dim = 16,
                                        .n_layers = 3,
                                        .n_heads = 4,
                                        .n_kv_heads = 2,
                                        .multiple_of = 1,
                                        .hidden_dim = 20,
                                        .max_seq_len = 32,
                                        .norm_eps = 1e-5f,
                                        .rope_theta = 10000.0f,
                                        .tied_output = tied};
    mneme_error error = {0};
    assert_ok(model_open(&config, model, &error), &error);
    model_initialize(model, 4);
    const int32_t header[7] = {16, 20, 3, 4, 2, tied ? 30 : -30, 32};
    static const char *const kinds[] = {"attention_norm",  "attention.wq",    "attention.wk",
                                        "attention.wv",    "attention.wo",    "ffn_norm",
                                        "feed_forward.w1", "feed_forward.w2", "feed_forward.w3"};
    unsigned char *end = mempcpy(bytes, header, sizeof header);
    end = mempcpy(end, model->embedding->data, model->embedding->count * sizeof(float));
    for (size_t k = 0; k < 9; k++) {
        for (size_t l = 0; l < 3; l++) {
            char name[64];
            snprintf(name, sizeof name, "layers.%zu.%s.weight", l, kinds[k]);
            const struct parameter *p = model_parameter(model, name);
            end = mempcpy(end, p->data, p->count * sizeof(float));
        }
    }
    end = mempcpy(end, model->norm->data, model->norm->count * sizeof(float));
    memset(end, 0xff, 32 * 4 * sizeof(float)); /* the tables, which are not read */
    end += 32 * 4 * sizeof(float);
    if (!tied) end = mempcpy(end, model->output->data, model->output->count * sizeof(float));
    return (size_t)(end - bytes);
}

static unsigned char bin[1 << 16];

START_TEST(llama2c_files_are_imported) {
    for (int tied = 0; tied < 2; tied++) {
        struct model model;
        size_t length = write_bin(&model, tied, bin);
        temporary_write("m.bin", bin, length);
        import("llama2c", temporary_path("m.bin"), temporary_path("m"));
        check_same_model(temporary_path("m"), &model);
        model_close(&model);
    }
}
END_TEST

/* Overwrites four bytes. */
static void check_bin_refused(size_t length, size_t at, uint32_t value, const char *cause) {
    uint32_t kept;
    memcpy(&kept, bin + at, 4);
    memcpy(bin + at, &value, 4);
    temporary_write("m.bin", bin, length);
    check_import_refused("llama2c", temporary_path("m.bin"), "/m.bin: ", cause);
    memcpy(bin + at, &kept, 4);
}

START_TEST(llama2c_files_that_lie_are_refused) {
    struct model model;
    size_t length = write_bin(&model, true, bin);
    model_close(&model);
    check_bin_refused(length, 0, 0x616b3432, "only version 0");
    check_bin_refused(length, 0, 0, "header: dim is 0");
    check_bin_refused(length, 0, 0x80000000u, "header: dim is -2147483648");
    check_bin_refused(length, 20, 0x80000000u, "header: vocab_size");
    check_bin_refused(length, 20, 1 << 20, "bytes, its header asks for");
    check_bin_refused(length, 8, 1024, "bytes, its header asks for");
    check_bin_refused(length, 4, 1 << 20, "bytes, its header asks for");
    check_bin_refused(length, 12, 3, "does not divide dim");
    check_bin_refused(length - 1, 0, 16, "bytes, its header asks for");
    check_bin_refused(20, 0, 16, "cut short");
    check_bin_refused(length, 28 + 4, 0x7fc00000u,
                      "byte 32, `tok_embeddings.weight`: not a finite");
}
END_TEST

/* stories260K.bin as it is in some places, its layers' matrices stored in another order. */
#define TANGLED "9414d5a285453a7eab631713d171753232c978f6f97654211469aff8be93c8d6"

/* A matrix [rows, columns], transposed five times, each time read in that shape again. */
static void untangle(size_t rows, size_t columns, float *matrix) {
    static float turned[172 * 64];
    ck_assert_uint_le(rows * columns, 172 * 64);
    for (int turn = 0; turn < 5; turn++) {
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = 0; c < columns; c++) turned[c * rows + r] = matrix[r * columns + c];
        }
        memcpy(matrix, turned, rows * columns * sizeof(float));
    }
}

/* The numbers after the header: dim 64, hidden 172, 5 layers, 8 heads, 4 of keys and values. */
static void untangle_layers(float *numbers) {
    static const size_t shapes[7][2] = {{64, 64},  {32, 64},  {32, 64}, {64, 64},
                                        {172, 64}, {64, 172}, {172, 64}};
    float *matrix = numbers + 512 * 64 + 5 * 64;
    for (size_t kind = 0; kind < 7; kind++) {
        if (kind == 4) matrix += 5 * 64; /* the norms of the feed-forward layers */
        for (size_t layer = 0; layer < 5; layer++) {
            untangle(shapes[kind][0], shapes[kind][1], matrix);
            matrix += shapes[kind][0] * shapes[kind][1];
        }
    }
}

/* The folder "m" becomes the real model; false where its file is absent. */
static bool import_stories(const char *test) {
    char path[512], *bytes;
    size_t length;
    struct digest digest;
    mneme_error error = {0};
    if (!data_set(test, "tinyllama/stories260K.bin", path)) return false;
    assert_ok(file_read(path, 1 << 21, &bytes, &length, &error), &error);
    assert_ok(digest_of_bytes(bytes, length, &digest, &error), &error);
    if (strcmp(digest.hex, TANGLED) == 0) untangle_layers((float *)(void *)(bytes + 28));
    temporary_write("stories.bin", bytes, length);
    free(bytes);
    import("llama2c", temporary_path("stories.bin"), temporary_path("m"));
    return true;
}

/* The same story on every machine; it begins "Once upon a time, there was a little girl". */
START_TEST(a_real_model_tells_its_story) {
    static const int32_t expected[40] = {403, 407, 261, 378, 432, 383, 286, 261, 376, 298,
                                         315, 421, 395, 317, 426, 338, 401, 396, 267, 337,
                                         410, 408, 419, 292, 411, 322, 265, 282, 295, 433,
                                         426, 385, 328, 432, 358, 394, 261, 370, 432, 352};
    if (!import_stories("a_real_model_tells_its_story")) return;
    mneme_generator *generator;
    mneme_error error = {0};
    int32_t ids[200];
    size_t n;
    assert_ok(mneme_generator_open(temporary_path("m"), &generator, &error), &error);
    assert_ok(mneme_generate_ids(generator, (int32_t[]){1}, 1, 200, -1, ids, &n, &error), &error);
    ck_assert_uint_eq(n, 200);
    ck_assert_mem_eq(ids, expected, sizeof expected);
    mneme_generator_close(generator);
}
END_TEST

/* A text that the model was sampled for in float64. */
START_TEST(a_real_model_is_not_surprised_by_its_own_text) {
    int32_t sampled[81] = {1,   403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395,
                           307, 425, 429, 422, 426, 338, 397, 355, 267, 337, 335, 311, 267, 422,
                           419, 344, 363, 328, 426, 385, 328, 432, 307, 425, 429, 422, 272, 277,
                           264, 261, 280, 323, 411, 272, 420, 414, 428, 410, 408, 419, 292, 411,
                           265, 272, 420, 292, 428, 411, 426, 291, 272, 420, 414, 428, 397, 355,
                           265, 272, 420, 295, 428, 411, 286, 322, 429, 420, 266};
    const struct token_texts texts = {.n = 1,
                                      .starts = (size_t[]){0},
                                      .lengths = (size_t[]){80},
                                      .tokens = {.ids = sampled, .n = 81}};
    struct model model;
    struct pass pass;
    struct batch_builder builder;
    mneme_error error = {0};
    float nll;
    if (!import_stories("a_real_model_is_not_surprised_by_its_own_text")) return;
    assert_ok(model_load(temporary_path("m"), &model, &error), &error);
    assert_ok(pass_open(&pass, &model, 80, false, &error), &error);
    assert_ok(batch_builder_open(&builder, 80, &error), &error);
    assert_ok(likelihood_nll(&pass, &builder, &texts, &nll, &error), &error);
    ck_assert_double_eq_tol(exp((double)nll), 2.340090, 1e-5);
    batch_builder_close(&builder);
    pass_close(&pass);
    model_close(&model);
}
END_TEST

Suite *llama2c_suite(void) {
    Suite *suite = suite_create("llama2c");
    TCase *cases = tcase_create("llama2c");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, llama2c_files_are_imported);
    tcase_add_test(cases, llama2c_files_that_lie_are_refused);
    tcase_add_test(cases, a_real_model_tells_its_story);
    tcase_add_test(cases, a_real_model_is_not_surprised_by_its_own_text);
    suite_add_tcase(suite, cases);
    return suite;
}
