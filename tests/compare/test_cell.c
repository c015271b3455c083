/* The cells of a sweep: whose folder is whose, and what is run again. */

#include "base/file.h"
#include "compare/cell.h"
#include "nano.h"
#include "text/utf8.h"

#define SWEEP                                                                                 \
    "{\"extends\": \"%s/data/recipes/nano.json\", \"name\": \"x\", \"sweep\": {\"series\": [" \
    "{\"name\": \"%s\", \"method\": \"smf\", \"set\": %s, \"grid\": {\"lr\": [50]}}]}}"

/* The one cell of a sweep with such a series, its plan, and an experiment that it can enter. */
struct fixture {
    struct plan plan;
    struct cell cell;
    struct experiment experiment;
};

static mneme_status open_plan(struct fixture *f, const char *name, const char *set,
                              mneme_error *error) {
    char text[1024], here[512];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    snprintf(text, sizeof text, SWEEP, here, name, set);
    temporary_write("sweep.json", text, strlen(text));
    assert_ok(plan_load(PLAN_SWEEP, temporary_path("sweep.json"), NULL, 0, &f->plan, error), error);
    return cell_open(&f->cell, &f->plan, 0, 0, 0, error);
}

static void begin(struct fixture *f, const char *name, const char *set) {
    mneme_error error = {0};
    const mneme_run_options options = {.recipe = temporary_path("sweep.json"),
                                       .directory = temporary_path("folder")};
    assert_ok(open_plan(f, name, set, &error), &error);
    assert_ok(experiment_open(&options, IDENTITY_BASE, &f->experiment, &error), &error);
    assert_ok(cell_enter(&f->cell, &f->plan, &f->experiment, &error), &error);
}

static void end(struct fixture *f) {
    experiment_close(&f->experiment);
    plan_free(&f->plan);
}

static struct path folder_of(const char *set) {
    struct fixture f;
    begin(&f, "a", set);
    struct path folder = f.cell.folder;
    end(&f);
    return folder;
}

/* Settings that change a number have a folder of their own; how often one looks changes none. */
START_TEST(identity) {
    struct path plain = folder_of("{}");
    ck_assert_ptr_nonnull(strstr(plain.text, "/folder/cells/smf-"));
    ck_assert_str_eq(folder_of("{}").text, plain.text);
    ck_assert_str_eq(folder_of("{\"t\": 20}").text, plain.text); /* what nano has */
    ck_assert_str_eq(folder_of("{\"evaluate_every\": 2}").text, plain.text);
    ck_assert_str_eq(folder_of("{\"stream_questions\": 1}").text, plain.text);
    ck_assert_str_ne(folder_of("{\"t\": 21}").text, plain.text);
    ck_assert_str_ne(folder_of("{\"paraphrases\": 7}").text, plain.text);
    ck_assert_str_ne(folder_of("{\"select\": \"tf\"}").text, plain.text);
}
END_TEST

START_TEST(another_cell) {
    struct fixture f;
    mneme_error error = {0};
    begin(&f, "a", "{}");
    assert_ok(cell_enter(&f.cell, &f.plan, &f.experiment, &error), &error);
    assert_ok(file_write_atomic(path_in(f.cell.folder.text, FOLDER_CELL).text, "{}", 2, &error),
              &error);
    assert_refused(cell_enter(&f.cell, &f.plan, &f.experiment, &error), &error, MNEME_BAD_INPUT,
                   "cell.json", "is damaged or was changed");
    end(&f);
}
END_TEST

/* Scores without a stream are forgotten when a stream is wanted, and only then. */
START_TEST(stream_wanted) {
    struct path folder = folder_of("{}");
    struct path scores = path_in(folder.text, FOLDER_SCORES);
    mneme_error error = {0};
    assert_ok(file_write_atomic(scores.text, "{}", 2, &error), &error);
    folder_of("{}");
    ck_assert(file_exists(scores.text));
    folder_of("{\"evaluate_every\": 2}");
    ck_assert(!file_exists(scores.text));
    assert_ok(file_write_atomic(scores.text, "{}", 2, &error), &error);
    assert_ok(file_write_atomic(path_in(folder.text, FOLDER_STREAM).text, "", 0, &error), &error);
    folder_of("{\"evaluate_every\": 2}");
    ck_assert(file_exists(scores.text));
}
END_TEST

/* A long name is cut between characters. */
START_TEST(long_name) {
    struct fixture f;
    mneme_error error = {0};
    assert_ok(open_plan(&f, "ééééééééééééééééééééééééé", "{}", &error), &error);
    const char *name = f.cell.stage.name;
    ck_assert_str_eq(name, "éééééééééééééééééééé: lr 50");
    plan_free(&f.plan);
    assert_ok(open_plan(&f, "€€€€€€€€€€€€€€€€€€€€€€€€€", "{}", &error), &error);
    ck_assert_uint_eq(utf8_valid_length(name, strlen(name)), strlen(name));
    ck_assert_uint_eq(strlen(name), 45); /* 15 characters; the 16th has no room */
    plan_free(&f.plan);
}
END_TEST

START_TEST(refused) {
    struct fixture f;
    mneme_error error = {0};
    assert_refused(open_plan(&f, "a", "{\"rank\": 3}", &error), &error, MNEME_BAD_INPUT,
                   "sweep.json", "finetune.smf.rank");
    plan_free(&f.plan);
}
END_TEST

Suite *cell_suite(void) {
    Suite *suite = suite_create("cell");
    TCase *tests = tcase_create("folders");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, identity);
    tcase_add_test(tests, another_cell);
    tcase_add_test(tests, stream_wanted);
    tcase_add_test(tests, long_name);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
    return suite;
}
