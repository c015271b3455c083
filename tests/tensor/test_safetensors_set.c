#include "tensor/safetensors_set.h"

#include "tests/temporary.h"

static const float numbers[6] = {1, 2, 3, 4, 5, 6};

static void write_shard(const char *name, size_t n, const char *const *tensors) {
    struct tensor list[4];
    mneme_error error;
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct tensor){
            .name = tensors[i], .type = TENSOR_F32, .rank = 1, .shape = {3}, .data = numbers};
    }
    assert_ok(safetensors_write(temporary_path(name), list, n, NULL, 0, &error), &error);
}

/* Two shards, a and b in the first, c in the second. */
static void write_shards(void) {
    write_shard("one", 2, (const char *const[]){"a", "b"});
    write_shard("two", 1, (const char *const[]){"c"});
}

static void write_index(const char *text) {
    temporary_write("model.safetensors.index.json", text, strlen(text));
}

static void check_index_refused(const char *text, const char *place, const char *cause) {
    struct safetensors_set set;
    mneme_error error;
    write_index(text);
    assert_refused(safetensors_set_open(&set, temporary_folder, &error), &error, MNEME_BAD_INPUT,
                   place, cause);
    ck_assert_ptr_null(set.files);
}

START_TEST(shards_are_one_set) {
    write_shards();
    write_index(
        "{\"metadata\":{\"total_size\":36},"
        "\"weight_map\":{\"a\":\"one\",\"c\":\"two\",\"b\":\"one\"}}");
    struct safetensors_set set;
    mneme_error error;
    float read[3];
    assert_ok(safetensors_set_open(&set, temporary_folder, &error), &error);
    ck_assert_uint_eq(set.n_files, 2);
    ck_assert_uint_eq(set.n, 3);
    assert_ok(safetensors_set_read_f32(&set, "c", 1, (size_t[]){3}, read, &error), &error);
    ck_assert_mem_eq(read, numbers, sizeof read);
    assert_ok(safetensors_set_check_f32(&set, "b", 1, (size_t[]){3}, &error), &error);
    assert_refused(safetensors_set_check_f32(&set, "b", 1, (size_t[]){4}, &error), &error,
                   MNEME_BAD_INPUT, "/one: tensor `b`", "shape is [3], must be [4]");
    assert_refused(safetensors_set_read_f32(&set, "d", 1, (size_t[]){3}, read, &error), &error,
                   MNEME_BAD_INPUT, "index.json", "no tensor `d`");
    safetensors_set_close(&set);
    safetensors_set_close(&set);
}
END_TEST

START_TEST(one_file_comes_first) {
    write_shard("model.safetensors", 1, (const char *const[]){"a"});
    write_index("no JSON");
    struct safetensors_set set;
    mneme_error error;
    assert_ok(safetensors_set_open(&set, temporary_folder, &error), &error);
    ck_assert_uint_eq(set.n, 1);
    safetensors_set_close(&set);
}
END_TEST

START_TEST(indices_that_lie_are_refused) {
    write_shards();
    check_index_refused("{\"weight_map\":[]}", "index.json", "`weight_map`: must be an object");
    check_index_refused("{}", "index.json", "`weight_map`");
    check_index_refused("{\"weight_map\":{\"a\":\"one\",\"a\":\"two\"}}", "index.json:1",
                        "duplicate");
    check_index_refused("{\"weight_map\":{\"a\":\"one\",\"b\":\"one\"", "index.json:1", "");
    check_index_refused("{\"weight_map\":{\"a\":7}}", "index.json: tensor `a`", "a file beside");
    check_index_refused("{\"weight_map\":{\"a\":\"../one\"}}", "tensor `a`", "a file beside");
    check_index_refused("{\"weight_map\":{\"a\":\"\"}}", "tensor `a`", "a file beside");
    check_index_refused("{\"weight_map\":{\"a\":\"three\"}}", "/three", "No such file");
    check_index_refused("{\"weight_map\":{\"a\":\"two\"}}", "tensor `a`", "is not in two");
    check_index_refused("{\"weight_map\":{\"a\":\"one\",\"c\":\"two\"}}", "index.json",
                        "names 2 tensors, but the files have 3");
    write_shard("two", 2, (const char *const[]){"a", "c"}); /* a twice */
    check_index_refused("{\"weight_map\":{\"a\":\"one\",\"b\":\"one\",\"c\":\"two\"}}",
                        "index.json", "names 3 tensors, but the files have 4");
    temporary_write("two", "cut", 3);
    check_index_refused("{\"weight_map\":{\"a\":\"one\",\"c\":\"two\"}}", "/two", "too short");
}
END_TEST

START_TEST(an_empty_folder_is_refused) {
    struct safetensors_set set;
    mneme_error error;
    assert_refused(safetensors_set_open(&set, temporary_folder, &error), &error, MNEME_BAD_INPUT,
                   "/model.safetensors", "No such file");
}
END_TEST

Suite *safetensors_set_suite(void) {
    Suite *suite = suite_create("safetensors_set");
    TCase *cases = tcase_create("safetensors_set");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, shards_are_one_set);
    tcase_add_test(cases, one_file_comes_first);
    tcase_add_test(cases, indices_that_lie_are_refused);
    tcase_add_test(cases, an_empty_folder_is_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
