#include "tensor/safetensors.h"

#include <math.h>
#include <signal.h>
#include <stdint.h>

#include "tests/temporary.h"

static const float weights[6] = {0.0f, -1.5f, 3.25f, 1e-40f, 65504.0f, -0.0f};
static const int32_t numbers[2] = {-7, 2147483647};
static const unsigned char flags[3] = {1, 0, 1};

static const struct tensor three_tensors[] = {
    {.name = "weights", .type = TENSOR_F32, .rank = 2, .shape = {2, 3}, .data = weights},
    {.name = "flags", .type = TENSOR_BOOL, .rank = 1, .shape = {3}, .data = flags},
    {.name = "numbers", .type = TENSOR_I32, .rank = 1, .shape = {2}, .data = numbers},
};

static const struct safetensors_metadata some_metadata[] = {{"format", "pt"}, {"a", "b"}};

static void write_three(const char *path) {
    mneme_error error;
    assert_ok(safetensors_write(path, three_tensors, 3, some_metadata, 2, &error), &error);
}

/* Writes a file of this header and `data_size` zero bytes. */
static const char *craft(const char *header, size_t data_size) {
    static char bytes[65536];
    uint64_t length = strlen(header);
    ck_assert_uint_lt(8 + length + data_size, sizeof bytes);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    temporary_write("crafted", bytes, 8 + length + data_size);
    return temporary_path("crafted");
}

static void check_crafted(const char *header, size_t data_size, const char *place,
                          const char *cause) {
    struct safetensors file;
    mneme_error error;
    assert_refused(safetensors_open(&file, craft(header, data_size), &error), &error,
                   MNEME_BAD_INPUT, place, cause);
    ck_assert_ptr_null(file.entries);
}

START_TEST(writes_the_documented_bytes) {
    write_three(temporary_path("a"));
    char *bytes;
    size_t length;
    mneme_error error;
    assert_ok(file_read(temporary_path("a"), 1 << 20, &bytes, &length, &error), &error);
    const char *header =
        "{\"__metadata__\":{\"a\":\"b\",\"format\":\"pt\"},"
        "\"weights\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"numbers\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[24,32]},"
        "\"flags\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[32,35]}}";
    size_t padded = (strlen(header) + 7) / 8 * 8;
    ck_assert_uint_eq(length, 8 + padded + 35);
    ck_assert_mem_eq(bytes, &(uint64_t){padded}, 8);
    ck_assert_mem_eq(bytes + 8, header, strlen(header));
    for (size_t i = strlen(header); i < padded; i++) ck_assert_int_eq(bytes[8 + i], ' ');
    ck_assert_mem_eq(bytes + 8 + padded, weights, 24);
    ck_assert_mem_eq(bytes + 8 + padded + 24, numbers, 8);
    ck_assert_mem_eq(bytes + 8 + padded + 32, flags, 3);
    free(bytes);
}
END_TEST

START_TEST(reads_back_what_it_wrote) {
    write_three(temporary_path("a"));
    struct safetensors file;
    mneme_error error;
    assert_ok(safetensors_open(&file, temporary_path("a"), &error), &error);
    ck_assert_uint_eq(file.n, 3);
    ck_assert_str_eq(file.entries[0].tensor.name, "flags");
    ck_assert_str_eq(safetensors_metadata_get(&file, "format"), "pt");
    ck_assert_ptr_null(safetensors_metadata_get(&file, "none"));
    float read_weights[6];
    int32_t read_numbers[2];
    assert_ok(safetensors_read_f32(&file, "weights", 2, (size_t[]){2, 3}, read_weights, &error),
              &error);
    ck_assert_mem_eq(read_weights, weights, sizeof weights);
    assert_ok(safetensors_read_i32(&file, "numbers", 1, (size_t[]){2}, read_numbers, &error),
              &error);
    ck_assert_mem_eq(read_numbers, numbers, sizeof numbers);
    safetensors_close(&file);
    safetensors_close(&file);
}
END_TEST

START_TEST(order_of_the_callers_list_does_not_matter) {
    struct tensor turned[3] = {three_tensors[2], three_tensors[0], three_tensors[1]};
    struct safetensors_metadata turned_metadata[2] = {some_metadata[1], some_metadata[0]};
    char *bytes[2];
    size_t length[2];
    mneme_error error;
    write_three(temporary_path("a"));
    assert_ok(safetensors_write(temporary_path("b"), turned, 3, turned_metadata, 2, &error),
              &error);
    for (int i = 0; i < 2; i++) {
        assert_ok(
            file_read(temporary_path(i == 0 ? "a" : "b"), 1 << 20, &bytes[i], &length[i], &error),
            &error);
    }
    ck_assert_uint_eq(length[0], length[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], length[0]);
    free(bytes[0]);
    free(bytes[1]);
}
END_TEST

START_TEST(empty_and_scalar_tensors) {
    const struct tensor tensors[] = {
        {.name = "b", .type = TENSOR_F32, .rank = 2, .shape = {0, 4}, .data = NULL},
        {.name = "a", .type = TENSOR_F32, .rank = 0, .data = weights},
    };
    struct safetensors file;
    mneme_error error;
    float value;
    const char *path = temporary_path("a");
    assert_ok(safetensors_write(path, tensors, 2, NULL, 0, &error), &error);
    assert_ok(safetensors_open(&file, path, &error), &error);
    assert_ok(safetensors_read_f32(&file, "a", 0, NULL, &value, &error), &error);
    assert_ok(safetensors_read_f32(&file, "b", 2, (size_t[]){0, 4}, NULL, &error), &error);
    safetensors_close(&file);
    assert_ok(safetensors_write(path, NULL, 0, NULL, 0, &error), &error);
    assert_ok(safetensors_open(&file, path, &error), &error);
    ck_assert_uint_eq(file.n, 0);
    ck_assert_ptr_null(safetensors_find(&file, "a"));
    safetensors_close(&file);
}
END_TEST

/* The value of a half by its definition, from exact operations. */
static float half_by_definition(unsigned half) {
    int exponent = (int)(half >> 10 & 31);
    float magnitude = exponent == 0 ? ldexpf((float)(half & 1023), -24)
                                    : ldexpf((float)(1024 + (half & 1023)), exponent - 25);
    return half & 0x8000 ? -magnitude : magnitude;
}

START_TEST(narrow_floats_convert_exactly) {
    static uint16_t every[65536], halves[65536];
    static float read[65536];
    size_t n = 0, n_brains = 0;
    for (unsigned i = 0; i < 65536; i++) {
        if ((i >> 10 & 31) != 31) halves[n++] = (uint16_t)i;
        if ((i >> 7 & 255) != 255) every[n_brains++] = (uint16_t)i;
    }
    const struct tensor tensors[] = {
        {.name = "half", .type = TENSOR_F16, .rank = 1, .shape = {n}, .data = halves},
        {.name = "brain", .type = TENSOR_BF16, .rank = 1, .shape = {n_brains}, .data = every},
    };
    struct safetensors file;
    mneme_error error;
    assert_ok(safetensors_write(temporary_path("a"), tensors, 2, NULL, 0, &error), &error);
    assert_ok(safetensors_open(&file, temporary_path("a"), &error), &error);
    assert_ok(safetensors_read_f32(&file, "half", 1, &n, read, &error), &error);
    for (size_t i = 0; i < n; i++) {
        float expected = half_by_definition(halves[i]);
        ck_assert_mem_eq(&read[i], &expected, 4);
    }
    assert_ok(safetensors_read_f32(&file, "brain", 1, &n_brains, read, &error), &error);
    for (size_t i = 0; i < n_brains; i++) {
        uint32_t expected = (uint32_t)every[i] << 16;
        ck_assert_mem_eq(&read[i], &expected, 4);
    }
    safetensors_close(&file);
}
END_TEST

START_TEST(weights_that_are_no_numbers_are_refused) {
    const float bad[6] = {1, 2, 3, 4, NAN, 6};
    const float infinite[2] = {1, -INFINITY};
    const uint16_t half[1] = {0x7c00};
    const struct tensor tensors[] = {
        {.name = "bad", .type = TENSOR_F32, .rank = 2, .shape = {2, 3}, .data = bad},
        {.name = "infinite", .type = TENSOR_F32, .rank = 1, .shape = {2}, .data = infinite},
        {.name = "half", .type = TENSOR_F16, .rank = 1, .shape = {1}, .data = half},
    };
    struct safetensors file;
    mneme_error error;
    float read[6];
    assert_ok(safetensors_write(temporary_path("a"), tensors, 3, NULL, 0, &error), &error);
    assert_ok(safetensors_open(&file, temporary_path("a"), &error), &error);
    assert_refused(safetensors_read_f32(&file, "bad", 2, (size_t[]){2, 3}, read, &error), &error,
                   MNEME_BAD_INPUT, "/a: tensor `bad`", "element [1,1] is NaN");
    assert_refused(safetensors_read_f32(&file, "infinite", 1, (size_t[]){2}, read, &error), &error,
                   MNEME_BAD_INPUT, "tensor `infinite`", "element [1] is infinite");
    assert_refused(safetensors_read_f32(&file, "half", 1, (size_t[]){1}, read, &error), &error,
                   MNEME_BAD_INPUT, "tensor `half`", "element [0] is infinite");
    safetensors_close(&file);
}
END_TEST

START_TEST(other_tensors_than_expected_are_refused) {
    write_three(temporary_path("a"));
    struct safetensors file;
    mneme_error error;
    float read[6];
    assert_ok(safetensors_open(&file, temporary_path("a"), &error), &error);
    assert_refused(safetensors_read_f32(&file, "none", 1, (size_t[]){2}, read, &error), &error,
                   MNEME_BAD_INPUT, "/a", "no tensor `none`");
    assert_refused(safetensors_read_f32(&file, "weights", 2, (size_t[]){3, 2}, read, &error),
                   &error, MNEME_BAD_INPUT, "tensor `weights`", "shape is [2,3], must be [3,2]");
    assert_refused(safetensors_read_f32(&file, "numbers", 1, (size_t[]){2}, read, &error), &error,
                   MNEME_BAD_INPUT, "tensor `numbers`", "type is I32, must be F32, F16 or BF16");
    assert_refused(safetensors_read_i32(&file, "flags", 1, (size_t[]){3}, (int32_t *)read, &error),
                   &error, MNEME_BAD_INPUT, "tensor `flags`", "type is BOOL, must be I32");
    ck_assert_int_eq(truncate(temporary_path("a"), (off_t)file.file.size - 20), 0);
    assert_refused(safetensors_read_f32(&file, "weights", 2, (size_t[]){2, 3}, read, &error),
                   &error, MNEME_BAD_INPUT, "/a", "cut short");
    safetensors_close(&file);
}
END_TEST

#define A "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

START_TEST(headers_that_lie_are_refused) {
    check_crafted(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1152921504606846976],"
        "\"data_offsets\":[0,4611686018427387904]}}",
        8, "`a`", "outside the file");
    check_crafted(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1152921504606846976,16],"
        "\"data_offsets\":[0,0]}}",
        0, "`a`", "do not fit type and shape");
    check_crafted("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "`a`",
                  "no size");
    check_crafted("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "`a`",
                  "no size");
    check_crafted("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "`a`",
                  "do not fit type and shape");
    check_crafted("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "`a`",
                  "outside the file");
    check_crafted("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "`a`",
                  "no pair");
    check_crafted("{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "`a`",
                  "unknown dtype `F31`");
    check_crafted(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],"
        "\"data_offsets\":[0,4]}}",
        4, "`a`", "more than 8 dimensions");
    check_crafted("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "`a`", "must have");
    check_crafted("{\"a\":7}", 0, "`a`", "must have");
    check_crafted(A "}", 12, "crafted", "4 bytes after the last tensor");
    check_crafted(A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "`b`",
                  "overlaps");
    check_crafted(A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "`b`",
                  "overlaps");
    check_crafted(A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16, "`b`",
                  "gap");
    check_crafted(A ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", 16,
                  "crafted: header at byte", "duplicate");
    check_crafted(A ",\"__metadata__\":{\"a\":1}}", 8, "crafted", "`__metadata__`");
    check_crafted(A ",\"__metadata__\":\"x\"}", 8, "crafted", "`__metadata__`");
    check_crafted("{\"a\\nb\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "`a b`",
                  "control character");
    check_crafted("[]", 0, "header at byte", "must be an object");
    check_crafted("{\"\xff\":1}", 0, "header at byte", "");
    check_crafted("", 0, "header at byte 8", "");
}
END_TEST

START_TEST(deep_json_is_refused) {
    static char header[60001];
    memset(header, '[', sizeof header - 1);
    memcpy(header, "{\"a\":", 5);
    check_crafted(header, 0, "crafted: header at byte", "depth");
}
END_TEST

START_TEST(lengths_that_lie_are_refused) {
    struct safetensors file;
    mneme_error error;
    const uint64_t lengths[] = {3, 1ull << 60, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char bytes[10] = "";
        memcpy(bytes, &lengths[i], 8);
        memcpy(bytes + 8, "{}", 2);
        temporary_write("a", bytes, sizeof bytes);
        assert_refused(safetensors_open(&file, temporary_path("a"), &error), &error,
                       MNEME_BAD_INPUT, "/a", "not a safetensors file, or cut short");
    }
    uint64_t large = SAFETENSORS_MAX_HEADER + 1; /* in a file that has the room: a hole */
    temporary_write("a", &large, 8);
    ck_assert_int_eq(truncate(temporary_path("a"), 200000000), 0);
    assert_refused(safetensors_open(&file, temporary_path("a"), &error), &error, MNEME_BAD_INPUT,
                   "/a", "too large");
    temporary_write("empty", "", 0);
    assert_refused(safetensors_open(&file, temporary_path("empty"), &error), &error,
                   MNEME_BAD_INPUT, "/empty", "too short");
    assert_refused(safetensors_open(&file, temporary_folder, &error), &error, MNEME_BAD_INPUT,
                   temporary_folder, "is a directory");
}
END_TEST

START_TEST(every_truncation_is_refused) {
    write_three(temporary_path("a"));
    char *bytes;
    size_t length;
    mneme_error error;
    struct safetensors file;
    assert_ok(file_read(temporary_path("a"), 1 << 20, &bytes, &length, &error), &error);
    for (size_t n = 0; n < length; n++) {
        temporary_write("cut", bytes, n);
        assert_refused(safetensors_open(&file, temporary_path("cut"), &error), &error,
                       MNEME_BAD_INPUT, "/cut", "");
    }
    free(bytes);
}
END_TEST

/* Reads all that a damaged file still claims to have. */
static void read_everything(const struct safetensors *file) {
    float values[64];
    mneme_error error;
    for (size_t i = 0; i < file->n; i++) {
        const struct tensor *tensor = &file->entries[i].tensor;
        ck_assert_uint_le(file->entries[i].bytes, 35);
        safetensors_read_f32(file, tensor->name, tensor->rank, tensor->shape, values, &error);
        safetensors_read_i32(file, tensor->name, tensor->rank, tensor->shape, (int32_t *)values,
                             &error);
    }
}

START_TEST(flipped_headers_never_crash) {
    write_three(temporary_path("a"));
    char *bytes;
    size_t length, n_refused = 0;
    mneme_error error;
    struct safetensors file;
    assert_ok(file_read(temporary_path("a"), 1 << 20, &bytes, &length, &error), &error);
    const unsigned char masks[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    for (size_t i = 0; i < length - 35; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            bytes[i] = (char)(bytes[i] ^ masks[m]);
            temporary_write("flipped", bytes, length);
            mneme_status status = safetensors_open(&file, temporary_path("flipped"), &error);
            if (status == MNEME_OK) {
                read_everything(&file);
                safetensors_close(&file);
            } else {
                assert_refused(status, &error, MNEME_BAD_INPUT, "/flipped", "");
                n_refused++;
            }
            bytes[i] = (char)(bytes[i] ^ masks[m]);
        }
    }
    ck_assert_uint_gt(n_refused, length);
    free(bytes);
}
END_TEST

START_TEST(names_must_differ) {
    struct tensor twice[2] = {three_tensors[0], three_tensors[0]};
    struct tensor reserved = three_tensors[0];
    reserved.name = "__metadata__";
    mneme_error error;
    const char *path = temporary_path("a");
    assert_refused(safetensors_write(path, twice, 2, NULL, 0, &error), &error, MNEME_BAD_INPUT,
                   path, "tensor `weights`: name is taken");
    assert_refused(safetensors_write(path, &reserved, 1, NULL, 0, &error), &error, MNEME_BAD_INPUT,
                   path, "name is taken");
    ck_assert_uint_eq(temporary_count(), 0);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file) {
    static float large[50000];
    const struct tensor tensor = {
        .name = "large", .type = TENSOR_F32, .rank = 1, .shape = {50000}, .data = large};
    const char *path = temporary_path("a");
    struct safetensors file;
    mneme_error error;
    write_three(path);
    signal(SIGXFSZ, SIG_IGN);
    temporary_limit_files(10000);
    mneme_status status = safetensors_write(path, &tensor, 1, NULL, 0, &error);
    temporary_limit_files(RLIM_INFINITY);
    assert_refused(status, &error, MNEME_FAILED, path, "File too large");
    ck_assert_uint_eq(temporary_count(), 1);
    assert_ok(safetensors_open(&file, path, &error), &error);
    safetensors_close(&file);
}
END_TEST

Suite *safetensors_suite(void) {
    Suite *suite = suite_create("safetensors");
    TCase *cases = tcase_create("safetensors");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, writes_the_documented_bytes);
    tcase_add_test(cases, reads_back_what_it_wrote);
    tcase_add_test(cases, order_of_the_callers_list_does_not_matter);
    tcase_add_test(cases, empty_and_scalar_tensors);
    tcase_add_test(cases, narrow_floats_convert_exactly);
    tcase_add_test(cases, weights_that_are_no_numbers_are_refused);
    tcase_add_test(cases, other_tensors_than_expected_are_refused);
    tcase_add_test(cases, headers_that_lie_are_refused);
    tcase_add_test(cases, deep_json_is_refused);
    tcase_add_test(cases, lengths_that_lie_are_refused);
    tcase_add_test(cases, every_truncation_is_refused);
    tcase_add_test(cases, flipped_headers_never_crash);
    tcase_add_test(cases, names_must_differ);
    tcase_add_test(cases, a_full_disk_leaves_the_old_file);
    suite_add_tcase(suite, cases);
    return suite;
}
