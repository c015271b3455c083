#include <mneme/digest.h>

#include "base/path.h"
#include "tensor/safetensors.h"
#include "tensor/tensor_digest.h"
#include "tests/temporary.h"

static const float weights[6] = {1, 2, 3, 4, 5, 6};
static const unsigned char bytes[3] = {'a', 'b', 'c'};

static const struct tensor two_tensors[] = {
    {.name = "w", .type = TENSOR_F32, .rank = 2, .shape = {2, 3}, .data = weights},
    {.name = "b", .type = TENSOR_U8, .rank = 1, .shape = {3}, .data = bytes},
};

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void write_two(const char *name) {
    mneme_error error;
    assert_ok(safetensors_write(temporary_path(name), two_tensors, 2, NULL, 0, &error), &error);
}

static void digest_two(struct digest *whole) {
    mneme_error error;
    assert_ok(tensor_digest_list(two_tensors, 2, whole, NULL, &error), &error);
}

START_TEST(follows_the_documented_lines) {
    struct digest whole, each[2], expected, first;
    mneme_error error;
    assert_ok(tensor_digest_list(two_tensors, 2, &whole, each, &error), &error);
    ck_assert_str_eq(each[1].hex, ABC);
    assert_ok(digest_of_bytes(weights, sizeof weights, &first, &error), &error);
    ck_assert_str_eq(each[0].hex, first.hex);
    char lines[300];
    int n = snprintf(lines, sizeof lines, "b\tU8\t[3]\t" ABC "\nw\tF32\t[2,3]\t%s\n", first.hex);
    assert_ok(digest_of_bytes(lines, (size_t)n, &expected, &error), &error);
    ck_assert_str_eq(whole.hex, expected.hex);
}
END_TEST

START_TEST(file_folder_and_memory_agree) {
    struct digest whole;
    mneme_digest digest;
    mneme_error error;
    digest_two(&whole);
    write_two("model.safetensors");
    write_two("other.safetensors"); /* is not looked at beside a model.safetensors */
    const char *paths[] = {temporary_path("model.safetensors"), temporary_folder};
    for (int i = 0; i < 2; i++) {
        assert_ok(mneme_digest_path(paths[i], &digest, &error), &error);
        ck_assert_uint_eq(digest.n_tensors, 2);
        ck_assert_str_eq(digest.sha256, whole.hex);
        ck_assert_str_eq(digest.tensors[0].name, "b");
        ck_assert_str_eq(digest.tensors[0].type, "U8");
        ck_assert_str_eq(digest.tensors[0].sha256, ABC);
        ck_assert_uint_eq(digest.tensors[1].shape[1], 3);
        mneme_digest_free(&digest);
    }
}
END_TEST

START_TEST(folders_of_several_files_name_them) {
    mneme_digest digest;
    mneme_error error;
    assert_ok(directory_make(temporary_path("run/step"), &error), &error);
    write_two("run/step/b.safetensors");
    write_two("run/a.safetensors");
    assert_ok(mneme_digest_path(temporary_path("run"), &digest, &error), &error);
    ck_assert_uint_eq(digest.n_tensors, 4);
    ck_assert_str_eq(digest.tensors[0].name, "a.safetensors:b");
    ck_assert_str_eq(digest.tensors[3].name, "step/b.safetensors:w");
    mneme_digest_free(&digest);
}
END_TEST

START_TEST(any_difference_shows) {
    float changed[6] = {1, 2, 3, 4, 5, 6};
    struct digest whole, other;
    mneme_error error;
    digest_two(&whole);
    struct tensor tensors[2] = {two_tensors[0], two_tensors[1]};
    tensors[0].data = changed;
    assert_ok(tensor_digest_list(tensors, 2, &other, NULL, &error), &error);
    ck_assert_str_eq(whole.hex, other.hex);
    changed[3] = -4;
    assert_ok(tensor_digest_list(tensors, 2, &other, NULL, &error), &error);
    ck_assert_str_ne(whole.hex, other.hex);
    tensors[0] = two_tensors[0];
    tensors[0].shape[0] = 3, tensors[0].shape[1] = 2;
    assert_ok(tensor_digest_list(tensors, 2, &other, NULL, &error), &error);
    ck_assert_str_ne(whole.hex, other.hex);
}
END_TEST

START_TEST(other_files_are_refused) {
    mneme_digest digest;
    mneme_error error;
    assert_refused(mneme_digest_path(temporary_folder, &digest, &error), &error, MNEME_BAD_INPUT,
                   temporary_folder, "has no .safetensors file");
    temporary_write("text", "some text that is no model", 26);
    assert_refused(mneme_digest_path(temporary_path("text"), &digest, &error), &error,
                   MNEME_BAD_INPUT, "/text", "not a safetensors file");
    assert_refused(mneme_digest_path(temporary_path("none"), &digest, &error), &error,
                   MNEME_BAD_INPUT, "/none", "No such file");
    ck_assert_ptr_null(digest.tensors);
}
END_TEST

Suite *model_digest_suite(void) {
    Suite *suite = suite_create("model_digest");
    TCase *cases = tcase_create("model_digest");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, follows_the_documented_lines);
    tcase_add_test(cases, file_folder_and_memory_agree);
    tcase_add_test(cases, folders_of_several_files_name_them);
    tcase_add_test(cases, any_difference_shows);
    tcase_add_test(cases, other_files_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
