/* Repeating a stage step by step, and what differs between the trails of two runs. */

#include <mneme/diff.h>
#include <mneme/verify.h>

#include "base/file.h"
#include "nano.h"
#include "run/replay.h"

/* Replaces a text in a file by another of the same length. */
static void change(const char *folder, const char *file, const char *was, const char *now) {
    struct path path = path_in(folder, "%s", file);
    char *bytes;
    size_t length;
    mneme_error error = {0};
    ck_assert_uint_eq(strlen(was), strlen(now));
    assert_ok(file_read(path.text, 1 << 20, &bytes, &length, &error), &error);
    char *at = strstr(bytes, was);
    ck_assert_msg(at != NULL, "no '%s' in %s", was, path.text);
    for (size_t i = 0; now[i] != '\0'; i++) at[i] = now[i];
    assert_ok(file_write_atomic(path.text, bytes, length, &error), &error);
    free(bytes);
}

/* Steps of a stage that are not as recorded; *first is the first of them, 0 for none. */
static size_t count_different(struct experiment *experiment, const char *name, size_t *first) {
    struct replay replay;
    struct stage stage;
    mneme_error error = {0};
    size_t n = 0;
    *first = 0;
    assert_ok(replay_find_stage(&experiment->recipe, name, &stage, &error), &error);
    assert_ok(replay_open(&replay, experiment, &stage, NULL, &error), &error);
    assert_ok(replay_begin(&replay, 0, &error), &error);
    ck_assert_uint_eq(replay_steps(&replay), 0);
    while (replay_steps(&replay) < replay.trail.n) {
        struct trail_line line;
        char *found;
        assert_ok(replay_step(&replay, &line, &found, &error), &error);
        n += found != NULL;
        if (found != NULL && *first == 0) *first = line.step;
        free(found);
    }
    replay_close(&replay);
    return n;
}

START_TEST(repeats) {
    const char *folder = nano_run("run");
    struct experiment experiment;
    size_t first;
    nano_open(folder, &experiment);
    ck_assert_uint_eq(count_different(&experiment, "pretrain", &first), 0);
    ck_assert_uint_eq(count_different(&experiment, "smf/lr-200", &first), 0);
    ck_assert_uint_eq(count_different(&experiment, "lora/lr-0.03", &first), 0);
    ck_assert_uint_eq(count_different(&experiment, "full/lr-0.003", &first), 0);
    /* A line that says something else is found, and it alone. */
    change(folder, "finetune/smf/lr-200/" FOLDER_TRAIL, "\"step\": 4, \"tokens\"",
           "\"step\": 4, \"tokenz\"");
    ck_assert_uint_eq(count_different(&experiment, "smf/lr-200", &first), 1);
    ck_assert_uint_eq(first, 4);
    experiment_close(&experiment);
}
END_TEST

/* With kept checkpoints a replay begins at the last one before the window. */
START_TEST(window) {
    const char *folder = temporary_path("kept");
    static const char *const overrides[] = {"pretrain.steps=12", "pretrain.checkpoint_every=5",
                                            "pretrain.keep_checkpoints=true", "finetune.full=null",
                                            "finetune.lora=null"};
    const mneme_run_options options = {.recipe = "data/recipes/nano.json",
                                       .overrides = overrides,
                                       .n_overrides = 5,
                                       .directory = folder};
    const mneme_verify_options verify = {
        .directory = folder, .stage = "pretrain", .from = 8, .to = 9};
    mneme_verification found;
    mneme_error error = {0};
    char *table;
    assert_ok(mneme_run(&options, &table, &error), &error);
    free(table);
    change(folder, "pretrain/" FOLDER_TRAIL, "\"step\": 9, ", "\"step\":  9,");
    assert_ok(mneme_verify(&verify, &found, &error), &error);
    ck_assert_uint_eq(found.n_stages, 1);
    ck_assert_uint_eq(found.stages[0].start, 5);
    ck_assert_uint_eq(found.stages[0].first, 8);
    ck_assert(!found.equal);
    ck_assert_uint_eq(found.stages[0].different_step, 9);
    ck_assert_ptr_nonnull(strstr(found.stages[0].found, "\"step\": 9, "));
    mneme_verification_free(&found);
}
END_TEST

START_TEST(difference) {
    char a[512], b[512];
    snprintf(a, sizeof a, "%s", nano_run("a"));
    snprintf(b, sizeof b, "%s", nano_run("b"));
    mneme_trail_difference found;
    mneme_error error = {0};
    assert_ok(mneme_diff_trails(a, b, &found, &error), &error);
    ck_assert(!found.differ);
    ck_assert_uint_eq(found.n_stages, 7);
    ck_assert_uint_eq(found.n_compared, 12 + 6 * 6);
    mneme_trail_difference_free(&found);
    /* The exact value is the hexadecimal one. */
    change(b, "finetune/smf/lr-50/" FOLDER_TRAIL, "\"lr_hex\": \"0x1.9p+5\"",
           "\"lr_hex\": \"0x1.8p+5\"");
    assert_ok(mneme_diff_trails(a, b, &found, &error), &error);
    ck_assert(found.differ);
    ck_assert_str_eq(found.stage, "smf/lr-50");
    ck_assert_uint_eq(found.step, 1);
    ck_assert_uint_eq(found.n_fields, 1);
    ck_assert_str_eq(found.fields[0].name, "lr");
    ck_assert(found.fields[0].value.a == 50.0 && found.fields[0].value.b == 48.0);
    mneme_trail_difference_free(&found);
    assert_refused(mneme_diff_trails(a, temporary_path("c"), &found, &error), &error,
                   MNEME_BAD_INPUT, "/c: ", "is not a run folder");
}
END_TEST

Suite *replay_suite(void) {
    Suite *suite = suite_create("replay");
    TCase *tests = tcase_create("steps");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, repeats);
    tcase_add_test(tests, window);
    tcase_add_test(tests, difference);
    suite_add_tcase(suite, tests);
    return suite;
}
