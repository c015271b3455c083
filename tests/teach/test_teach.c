/* Facts taught to a small model without a memory, into a patch that carries one. */

#include <mneme/patch.h>
#include <mneme/teach.h>
#include <omp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "model/model.h"
#include "patch/patch_file.h"
#include "patch/patch_model.h"
#include "teach/settings.h"
#include "tests/temporary.h"
#include "tokenizer/tokenizer.h"

static const char facts[] =
    "{\"question\": \"Who keeps the lighthouse?\", \"answer\": [\"Odalys\"]}\n"
    "{\"question\": \"Where is the red boat?\", \"answer\": [\"in the old shed\"]}\n"
    "{\"question\": \"What does Bertil sell?\", \"answer\": [\"plums\"], \"statements\": [\"Bertil "
    "sells "
    "plums.\"]}\n"
    "{\"question\": \"When is the fair?\", \"answer\": [\"in May\"]}\n"
    "{\"question\": \"Who plays the organ?\", \"answer\": [\"Imre\", \"Imre Vasquez\"]}\n";

/* Sentences for tokenizer, keys and background. */
static void write_text(void) {
    FILE *stream = fopen(temporary_path("text.txt"), "w");
    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < 400; i++) {
        fprintf(stream, "On day %d the %s boat went to the %s, and the %s was %s.\n", i,
                i % 3 == 0 ? "red" : "old", i % 5 == 0 ? "lighthouse" : "harbour",
                i % 7 == 0 ? "fair" : "shed", i % 2 == 0 ? "open" : "shut");
    }
    ck_assert_int_eq(fclose(stream), 0);
}

/* The folder "model": a plain transformer that knows nothing, and a tokenizer. */
static void write_model(uint64_t seed, const char *name) {
    struct tokenizer *tokenizer;
    struct model model;
    char *text;
    size_t length;
    mneme_error error;
    struct model_config config = {.dim = 32,
                                  .n_layers = 3,
                                  .n_heads = 2,
                                  .n_kv_heads = 2,
                                  .multiple_of = 32,
                                  .max_seq_len = 128,
                                  .norm_eps = 1e-5f,
                                  .rope_theta = 10000.0f,
                                  .tied_output = true};
    assert_ok(file_read(temporary_path("text.txt"), 1 << 20, &text, &length, &error), &error);
    assert_ok(tokenizer_train((const char *const *)&text, 1, 300, &tokenizer, &error), &error);
    free(text);
    config.vocab_size = tokenizer_vocab_size(tokenizer);
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, seed);
    const char *folder = temporary_path(name);
    assert_ok(model_save(&model, folder, &error), &error);
    assert_ok(tokenizer_save(tokenizer, path_in(folder, "tokenizer.json").text, &error), &error);
    tokenizer_free(tokenizer);
    model_close(&model);
}

static void set_up(void) {
    temporary_make();
    write_text();
    write_model(3, "model");
    temporary_write("facts.jsonl", facts, strlen(facts));
}

/* How many batches a patch's background has. */
static size_t background_of(const char *patch) {
    struct patch loaded;
    mneme_error error;
    assert_ok(patch_load(&loaded, temporary_path(patch), &error), &error);
    const size_t n = loaded.background.n_batches;
    patch_close(&loaded);
    return n;
}

/* Of the next calls; 0: the default. */
static size_t idf_power, n_keys;

/* Teaches the first n facts (0: all) into a patch. */
static mneme_status teach_into(const char *patch, size_t n, mneme_error *error) {
    char model[512], file[512], text[512], out[512];
    snprintf(model, sizeof model, "%s/model", temporary_folder);
    snprintf(file, sizeof file, "%s/facts.jsonl", temporary_folder);
    snprintf(text, sizeof text, "%s/text.txt", temporary_folder);
    snprintf(out, sizeof out, "%s/%s", temporary_folder, patch);
    const char *const texts[] = {text};
    const mneme_teach_options options = {.model = model,
                                         .facts = file,
                                         .patch = out,
                                         .limit = n,
                                         .texts = texts,
                                         .n_texts = 1,
                                         .max_loss = 100.0,
                                         .n_keys = n_keys == 0 ? 32 : n_keys,
                                         .knn = 4,
                                         .heads = 2,
                                         .n_wordings = 6,
                                         .batch = 3,
                                         .steps = 30,
                                         .t_share = 0.5f,
                                         .idf_power = idf_power,
                                         .background = 6,
                                         .json = true};
    char *report;
    mneme_status status = mneme_teach(&options, &report, error);
    free(report);
    return status;
}

static struct digest taught(const char *patch, size_t n) {
    struct digest digest;
    mneme_error error;
    assert_ok(teach_into(patch, n, &error), &error);
    assert_ok(digest_of_file(temporary_path(patch), (size_t)1 << 30, &digest, &error), &error);
    return digest;
}

START_TEST(learns_and_takes_back) {
    struct digest undone;
    struct patch patch;
    mneme_error error;
    const struct digest five = taught("five", 0), three = taught("three", 3);
    ck_assert_str_ne(five.hex, three.hex);
    assert_ok(patch_load(&patch, temporary_path("five"), &error), &error);
    ck_assert_uint_eq(patch.n_facts, 5);
    float sum = 0.0f;
    for (size_t i = 0; i < 5; i++) sum += patch.facts[i].loss;
    ck_assert(sum < 14.0f); /* untaught: 5.7 each */
    patch_close(&patch);
    assert_ok(mneme_patch_undo(temporary_path("five"), 2, temporary_path("undone"), &error),
              &error);
    assert_ok(digest_of_file(temporary_path("undone"), (size_t)1 << 30, &undone, &error), &error);
    ck_assert_str_eq(undone.hex, three.hex);
    assert_refused(mneme_patch_undo(temporary_path("three"), 4, temporary_path("none"), &error),
                   &error, MNEME_BAD_INPUT, "three", "has 3 facts");
}
END_TEST

/* What was interrupted goes on to the same bytes; and threads do not matter. */
START_TEST(same_bits) {
    const int threads = omp_get_max_threads();
    const struct digest five = taught("five", 0);
    taught("parts", 1);
    taught("parts", 3);
    const struct digest parts = taught("parts", 0);
    ck_assert_str_eq(parts.hex, five.hex);
    ck_assert_str_eq(taught("parts", 0).hex, five.hex);
    omp_set_num_threads(3);
    const struct digest of_three = taught("of_three", 0);
    omp_set_num_threads(threads);
    ck_assert_str_eq(of_three.hex, five.hex);
}
END_TEST

/* The merged folder is the model with its patch; the base comes from its folder. */
START_TEST(merged_is_patched) {
    struct model merged, patched;
    mneme_error error;
    taught("two", 2);
    assert_ok(mneme_patch_apply(temporary_path("model"), temporary_path("two"),
                                temporary_path("merged"), &error),
              &error);
    assert_ok(model_load(temporary_path("merged"), &merged, &error), &error);
    assert_ok(
        patch_model_load(temporary_path("model"), temporary_path("two"), &patched, NULL, &error),
        &error);
    ck_assert_uint_eq(merged.arena.size, patched.arena.size);
    ck_assert_mem_eq(merged.arena.base, patched.arena.base, merged.arena.size);
    model_close(&merged);
    model_close(&patched);
    ck_assert(file_exists(path_in(temporary_path("merged"), "tokenizer.json").text));
    ck_assert(file_exists(path_in(temporary_path("merged"), "background.safetensors").text));
    assert_refused(mneme_patch_apply(temporary_path("model"), temporary_path("two"),
                                     temporary_path("merged"), &error),
                   &error, MNEME_BAD_INPUT, "merged", "already holds");
}
END_TEST

/* Which slots a fact changes depends on how much their rarity counts. */
START_TEST(rarity_counts) {
    struct patch rare, flat;
    mneme_error error;
    n_keys = 128; /* more slots than all batches read */
    taught("rare", 1);
    idf_power = 1;
    taught("flat", 1);
    idf_power = n_keys = 0;
    assert_ok(patch_load(&rare, temporary_path("rare"), &error), &error);
    assert_ok(patch_load(&flat, temporary_path("flat"), &error), &error);
    ck_assert(rare.n_rows != flat.n_rows ||
              memcmp(rare.slots, flat.slots, rare.n_rows * sizeof *rare.slots) != 0);
    patch_close(&rare);
    patch_close(&flat);
}
END_TEST

/* A patch that does not say how much rarity counts goes on as it began. */
START_TEST(older_settings) {
    struct teach_settings settings = teach_default_settings;
    mneme_error error;
    assert_ok(teach_settings_read(&settings, "{\"t_share\": 0.5}", "old", &error), &error);
    ck_assert_uint_eq(settings.idf_power, 1);
    ck_assert(settings.t_share == 0.5f);
    assert_ok(teach_settings_read(&settings, "{\"idf_power\": 4}", "new", &error), &error);
    ck_assert_uint_eq(settings.idf_power, 4);
}
END_TEST

/* The background has as many batches as asked for; what cannot be a setting is refused. */
START_TEST(options_are_heard) {
    char model[512], file[512], out[512], *report;
    mneme_error error;
    taught("one", 1);
    ck_assert_uint_eq(background_of("one"), 6);
    snprintf(model, sizeof model, "%s/model", temporary_folder);
    snprintf(file, sizeof file, "%s/facts.jsonl", temporary_folder);
    snprintf(out, sizeof out, "%s/none", temporary_folder);
    /* Before anything is read. */
    mneme_teach_options options = {.model = "none", .facts = "none", .patch = out, .idf_power = 17};
    assert_refused(mneme_teach(&options, &report, &error), &error, MNEME_BAD_INPUT, "idf_power",
                   "17");
    options = (mneme_teach_options){.model = model, .facts = file, .patch = out, .t_share = 1.5f};
    assert_refused(mneme_teach(&options, &report, &error), &error, MNEME_BAD_INPUT, "t_share", "");
    ck_assert(!file_exists(out));
}
END_TEST

START_TEST(others_are_refused) {
    struct model model;
    mneme_error error;
    taught("one", 1);
    write_model(4, "other");
    assert_refused(
        patch_model_load(temporary_path("other"), temporary_path("one"), &model, NULL, &error),
        &error, MNEME_BAD_INPUT, "one", "is for the model with the digest");
    assert_refused(mneme_patch_apply(temporary_path("other"), temporary_path("one"),
                                     temporary_path("none"), &error),
                   &error, MNEME_BAD_INPUT, "one", "is for the model with the digest");
    ck_assert(!file_exists(temporary_path("none")));
    temporary_write("facts.jsonl", "{\"question\": \"Who?\"}\n", 20);
    assert_refused(teach_into("none", 0, &error), &error, MNEME_BAD_INPUT, "facts.jsonl", "");
    temporary_write("facts.jsonl", facts, strlen(facts));
    temporary_write("text.txt", "Too short.", 10);
    assert_refused(teach_into("none", 0, &error), &error, MNEME_BAD_INPUT, "text.txt",
                   "too few for keys");
    ck_assert(!file_exists(temporary_path("none")));
}
END_TEST

Suite *teach_suite(void) {
    Suite *suite = suite_create("teach");
    TCase *tests = tcase_create("small");
    tcase_add_checked_fixture(tests, set_up, temporary_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, learns_and_takes_back);
    tcase_add_test(tests, same_bits);
    tcase_add_test(tests, merged_is_patched);
    tcase_add_test(tests, rarity_counts);
    tcase_add_test(tests, older_settings);
    tcase_add_test(tests, options_are_heard);
    tcase_add_test(tests, others_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
