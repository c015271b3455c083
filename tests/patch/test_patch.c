/* A patch keeps what facts did to a model, and takes them back exactly. */

#include <signal.h>

#include "base/file.h"
#include "patch/patch_diff.h"
#include "tensor/safetensors.h"
#include "tests/patch/taught.h"

/* Teaches n facts, and saves the patch under the name. */
static void save_taught(const struct model_config *config, uint32_t n, const char *name) {
    struct tiny_model tiny;
    struct patch patch;
    mneme_error error;
    tiny_model_open(&tiny, config);
    teach(&patch, &tiny.model, false, n);
    assert_ok(patch_save(&patch, temporary_path(name), &error), &error);
    patch_close(&patch);
    tiny_model_close(&tiny);
}

/* Rows of several tables, PEER's two tables. */
static const struct model_config *configs(size_t i) {
    static struct model_config config;
    config = tiny_model_config();
    if (i == 1) {
        config.memory.n_layers = 2;
        config.memory.layers[1] = 2;
    }
    if (i == 2) {
        config.memory.swilu_projection = false;
        config.memory.value_proj = false;
        config.memory.v_dim = config.dim;
        config.memory.peer_variant = true;
    }
    return &config;
}

START_TEST(file_gives_back_the_model) {
    struct tiny_model taught, fresh;
    struct patch patch, read;
    mneme_error error;
    tiny_model_open(&taught, configs((size_t)_i));
    tiny_model_open(&fresh, configs((size_t)_i));
    teach(&patch, &taught.model, false, 4);
    ck_assert_uint_lt(patch.n_rows, patch.n_entries);
    const char *path = temporary_path("patch"), *again = temporary_path("again");
    assert_ok(patch_save(&patch, path, &error), &error);
    assert_ok(patch_load(&read, path, &error), &error);
    ck_assert_uint_eq(read.n_facts, 4);
    ck_assert_str_eq(read.facts[2].answers.texts[0], "answer 3");
    ck_assert_uint_eq(read.facts[2].steps, 3);
    assert_ok(patch_put_rows(&read, &fresh.model, &error), &error);
    ck_assert_mem_eq(fresh.model.arena.base, taught.model.arena.base, taught.model.arena.size);
    assert_ok(patch_save(&read, again, &error), &error);
    ck_assert_str_eq(digest_of(path).hex, digest_of(again).hex);
    patch_close(&read);
    patch_close(&patch);
    tiny_model_close(&fresh);
    tiny_model_close(&taught);
}
END_TEST

START_TEST(undo_is_exact) {
    const struct model_config *config = configs((size_t)_i);
    struct patch patch;
    mneme_error error;
    save_taught(config, 5, "five");
    for (uint32_t n = 0; n <= 5; n++) {
        save_taught(config, 5 - n, "fewer");
        assert_ok(patch_load(&patch, temporary_path("five"), &error), &error);
        patch_undo(&patch, n);
        assert_ok(patch_save(&patch, temporary_path("undone"), &error), &error);
        patch_close(&patch);
        ck_assert_str_eq(digest_of(temporary_path("undone")).hex,
                         digest_of(temporary_path("fewer")).hex);
    }
}
END_TEST

/* A fact that changes rows that are there, and brings none. */
START_TEST(undo_without_new_rows) {
    struct tiny_model tiny;
    struct patch patch;
    mneme_error error;
    save_taught(configs(0), 2, "two");
    tiny_model_open(&tiny, configs(0));
    teach(&patch, &tiny.model, false, 2);
    const size_t n_rows = patch.n_rows;
    teach_fact(&patch, &tiny.model, 2);
    ck_assert_uint_eq(patch.n_rows, n_rows);
    patch_undo(&patch, 1);
    assert_ok(patch_save(&patch, temporary_path("undone"), &error), &error);
    patch_close(&patch);
    tiny_model_close(&tiny);
    ck_assert_str_eq(digest_of(temporary_path("undone")).hex, digest_of(temporary_path("two")).hex);
}
END_TEST

/* What was undone can be taught again. */
START_TEST(undone_goes_on) {
    struct tiny_model tiny;
    struct patch patch;
    mneme_error error;
    save_taught(configs(0), 5, "five");
    save_taught(configs(0), 3, "three");
    tiny_model_open(&tiny, configs(0));
    assert_ok(patch_load(&patch, temporary_path("five"), &error), &error);
    patch_undo(&patch, 2);
    assert_ok(patch_put_rows(&patch, &tiny.model, &error), &error);
    teach_fact(&patch, &tiny.model, 4);
    teach_fact(&patch, &tiny.model, 5);
    assert_ok(patch_save(&patch, temporary_path("again"), &error), &error);
    patch_close(&patch);
    tiny_model_close(&tiny);
    ck_assert_str_eq(digest_of(temporary_path("again")).hex, digest_of(temporary_path("five")).hex);
}
END_TEST

/* What a change of the patch's parts gives when it is written and sealed again. */
static void check_contradiction(void (*change)(struct patch *patch), const char *cause) {
    struct tiny_model tiny;
    struct patch patch, read;
    mneme_error error;
    tiny_model_open(&tiny, configs(0));
    teach(&patch, &tiny.model, false, 3);
    change(&patch);
    const char *path = temporary_path("wrong");
    assert_ok(patch_save(&patch, path, &error), &error);
    assert_refused(patch_load(&read, path, &error), &error, MNEME_BAD_INPUT, "wrong", cause);
    ck_assert_ptr_null(read.rows);
    patch_close(&patch);
    tiny_model_close(&tiny);
}

static void row_twice(struct patch *patch) {
    patch->slots[1] = patch->slots[0];
}
static void slot_too_high(struct patch *patch) {
    patch->journal[patch->ends[0] - 1] = (int32_t)patch->n_slots;
}
static void slot_below_zero(struct patch *patch) {
    patch->journal[0] = -1;
}
static void not_ascending(struct patch *patch) {
    patch->journal[1] = patch->journal[0];
}
static void row_of_none(struct patch *patch) {
    patch->slots[0] = patch->slots[0] == 0 ? 1 : patch->slots[0] - 1;
}
static void not_a_number(struct patch *patch) {
    patch->rows[5] = 0.0f / (patch->rows[5] - patch->rows[5]);
}
static void infinite_before(struct patch *patch) {
    patch->before[0] = 1.0f / (patch->rows[0] - patch->rows[0]);
}
static void end_too_early(struct patch *patch) {
    patch->ends[2]--;
}
static void ends_descend(struct patch *patch) {
    patch->ends[0] = patch->ends[1] + 1;
}
static void model_unknown(struct patch *patch) {
    patch->model.hex[3] = 'X';
}

START_TEST(contradictions_are_refused) {
    check_contradiction(row_twice, "do not ascend");
    check_contradiction(slot_too_high, "out of range");
    check_contradiction(slot_below_zero, "out of range");
    check_contradiction(not_ascending, "do not ascend");
    check_contradiction(row_of_none, "slot");
    check_contradiction(not_a_number, "rows");
    check_contradiction(infinite_before, "journal.before");
    check_contradiction(end_too_early, "journal.ends");
    check_contradiction(ends_descend, "must ascend");
    check_contradiction(model_unknown, "SHA-256");
}
END_TEST

/* A byte more or less, or another one, anywhere in the file. */
START_TEST(damage_is_refused) {
    char *bytes;
    size_t length;
    struct patch patch;
    mneme_error error;
    save_taught(configs(0), 2, "whole");
    assert_ok(file_read(temporary_path("whole"), (size_t)1 << 24, &bytes, &length, &error), &error);
    for (size_t i = 0; i < length; i += 1 + length / 199) {
        bytes[i] ^= 4;
        temporary_write("flipped", bytes, length);
        assert_refused(patch_load(&patch, temporary_path("flipped"), &error), &error,
                       MNEME_BAD_INPUT, "flipped", "");
        bytes[i] ^= 4;
        temporary_write("cut", bytes, i);
        assert_refused(patch_load(&patch, temporary_path("cut"), &error), &error, MNEME_BAD_INPUT,
                       "cut", "");
    }
    free(bytes);
}
END_TEST

/* A safetensors file with these metadata alone. */
static void write_frame(const struct safetensors_metadata *metadata, size_t n, bool seal) {
    mneme_error error;
    const char *path = temporary_path("frame");
    assert_ok(
        (seal ? safetensors_write_sealed : safetensors_write)(path, NULL, 0, metadata, n, &error),
        &error);
}

START_TEST(others_are_refused) {
    const struct safetensors_metadata newer = {"mneme.patch", "2"}, ours = {"mneme.patch", "1"};
    struct patch patch;
    mneme_error error;
    write_frame(NULL, 0, false);
    assert_refused(patch_load(&patch, temporary_path("frame"), &error), &error, MNEME_BAD_INPUT,
                   "frame", "is no patch");
    write_frame(&newer, 1, true);
    assert_refused(patch_load(&patch, temporary_path("frame"), &error), &error, MNEME_BAD_INPUT,
                   "frame", "layout 2, this version reads 1");
    write_frame(&ours, 1, false);
    assert_refused(patch_load(&patch, temporary_path("frame"), &error), &error, MNEME_BAD_INPUT,
                   "frame", "cannot be checked");
    write_frame(&ours, 1, true);
    assert_refused(patch_load(&patch, temporary_path("frame"), &error), &error, MNEME_BAD_INPUT,
                   "frame", "model");
    assert_refused(patch_load(&patch, temporary_path("none"), &error), &error, MNEME_BAD_INPUT,
                   "none", "");
}
END_TEST

START_TEST(difference_is_found) {
    struct patch left, right;
    struct patch_difference d;
    mneme_error error;
    save_taught(configs(0), 3, "left");
    save_taught(configs(0), 5, "right");
    assert_ok(patch_load(&left, temporary_path("left"), &error), &error);
    assert_ok(patch_load(&right, temporary_path("right"), &error), &error);
    assert_ok(patch_compare(&left, &left, "left", "left", &d, &error), &error);
    ck_assert_uint_eq(d.rows_alike, left.n_rows);
    ck_assert_uint_eq(d.rows_differ + d.rows_left + d.rows_right, 0);
    assert_ok(patch_compare(&left, &right, "left", "right", &d, &error), &error);
    ck_assert_uint_eq(d.facts_alike, 3);
    ck_assert_uint_eq(d.rows_left, 0);
    ck_assert_uint_eq(d.rows_right, right.n_rows - left.n_rows);
    ck_assert_uint_gt(d.rows_differ, 0);
    ck_assert(d.change > 0.0f && d.change <= 1.0f);
    patch_undo(&right, 2);
    right.rows[3 * right.width + 2] += 64.0f;
    assert_ok(patch_compare(&left, &right, "left", "right", &d, &error), &error);
    ck_assert_uint_eq(d.rows_differ, 1);
    ck_assert_int_eq(d.slot, right.slots[3]);
    ck_assert_uint_eq(d.column, 2);
    left.model.hex[0] = left.model.hex[0] == 'a' ? 'b' : 'a';
    assert_refused(patch_compare(&left, &right, "left", "right", &d, &error), &error,
                   MNEME_BAD_INPUT, "right", "is for the model");
    patch_close(&left);
    patch_close(&right);
}
END_TEST

/* A disk that is full leaves the patch of before. */
START_TEST(full_disk_keeps_the_old) {
    struct tiny_model tiny;
    struct patch patch;
    mneme_error error;
    save_taught(configs(0), 2, "kept");
    const struct digest before = digest_of(temporary_path("kept"));
    tiny_model_open(&tiny, configs(0));
    teach(&patch, &tiny.model, false, 3);
    signal(SIGXFSZ, SIG_IGN);
    temporary_limit_files(1000);
    assert_refused(patch_save(&patch, temporary_path("kept"), &error), &error, MNEME_FAILED, "kept",
                   "");
    temporary_limit_files(RLIM_INFINITY);
    ck_assert_str_eq(digest_of(temporary_path("kept")).hex, before.hex);
    ck_assert_uint_eq(temporary_count(), 1);
    patch_close(&patch);
    tiny_model_close(&tiny);
}
END_TEST

Suite *patch_suite(void) {
    Suite *suite = suite_create("patch");
    TCase *tests = tcase_create("file");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_loop_test(tests, file_gives_back_the_model, 0, 3);
    tcase_add_loop_test(tests, undo_is_exact, 0, 3);
    tcase_add_test(tests, undo_without_new_rows);
    tcase_add_test(tests, undone_goes_on);
    tcase_add_test(tests, contradictions_are_refused);
    tcase_add_test(tests, damage_is_refused);
    tcase_add_test(tests, others_are_refused);
    tcase_add_test(tests, difference_is_found);
    tcase_add_test(tests, full_disk_keeps_the_old);
    suite_add_tcase(suite, tests);
    return suite;
}
