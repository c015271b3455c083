#include "tensor/gguf.h"

#include <math.h>
#include <stdint.h>

#include "base/digest.h"
#include "tests/temporary.h"

/* Files made here byte by byte, and what the `gguf` package 0.19 makes of the same blocks. */

static unsigned char bytes[1 << 16];
static size_t n_bytes;

static void put(const void *data, size_t n) {
    ck_assert_uint_le(n_bytes + n, sizeof bytes);
    memcpy(bytes + n_bytes, data, n);
    n_bytes += n;
}

static void put_u32(uint32_t value) {
    put(&value, sizeof value);
}

static void put_u64(uint64_t value) {
    put(&value, sizeof value);
}

static void put_string(const char *text) {
    put_u64(strlen(text));
    put(text, strlen(text));
}

static void begin(uint32_t version, uint64_t n_tensors, uint64_t n_keys) {
    n_bytes = 0;
    put("GGUF", 4);
    put_u32(version);
    put_u64(n_tensors);
    put_u64(n_keys);
}

static void put_key(const char *key, uint32_t type) {
    put_string(key);
    put_u32(type);
}

/* A tensor of `rows` x `columns`. */
static void put_tensor(const char *name, uint64_t rows, uint64_t columns, uint32_t type,
                       uint64_t offset) {
    put_string(name);
    put_u32(2);
    put_u64(columns);
    put_u64(rows);
    put_u32(type);
    put_u64(offset);
}

static void pad(size_t alignment) {
    while (n_bytes % alignment != 0) put("", 1);
}

static mneme_status open_bytes(struct gguf *file, mneme_error *error) {
    temporary_write("a.gguf", bytes, n_bytes);
    return gguf_open(file, temporary_path("a.gguf"), error);
}

static void check_refused(const char *place, const char *cause) {
    struct gguf file;
    mneme_error error;
    assert_refused(open_bytes(&file, &error), &error, MNEME_BAD_INPUT, place, cause);
    ck_assert_ptr_null(file.entries);
}

/* 512 elements of each type: byte k is (31 k k + 17 k + 101 number) / 8, but that the halves at
 * `scales` stay finite. */
static const struct {
    uint32_t number;
    size_t elements, bytes;
    size_t n_scales, scales[2];
    const char *sha256; /* of the f32 values */
} types[] = {
    {0, 1, 4, 1, {2}, "b139381c66e28a933225b3be72f6ffd4208f18f1b2adf8d7dfde5bc50a2ec51c"},
    {1, 1, 2, 1, {0}, "2e052506b5070ec3f7ea43de9485cdb6e66180aaeb44f2b2571d7c1aaec8779b"},
    {30, 1, 2, 1, {0}, "590e2f5c16176537fbd922a7076285b54c9857e67c8108c8f9f6cc38650b7c8c"},
    {2, 32, 18, 1, {0}, "5b1a66aa041a44797f0d4eab0211242d3090693450d0fa89abdb1c852d573676"},
    {3, 32, 20, 2, {0, 2}, "2d6e72a135dd72350e7bdfd6462871af1b7f7673515ee799e6cc536000968669"},
    {6, 32, 22, 1, {0}, "8498d00e8b50fcc7bd3d3192d2bf4729235de1fe1bcd5fba950411e7265c6fc0"},
    {7, 32, 24, 2, {0, 2}, "203b1e19ab7d8b728d8213e8c42f8c45f40c182f23bc6f7354b4908703a041a9"},
    {8, 32, 34, 1, {0}, "31d13f6a9c4cbe5abba5de0ff6b72b70cc3e2960b6b50bcd83877314a148e6d0"},
    {10, 256, 84, 2, {80, 82}, "cbb679ae88da7d6baf169f3cf57ce3f1a0a06ee1f10cc89f70a74a8204b27746"},
    {11, 256, 110, 1, {108}, "bfe0af87fd0cba9360879f074477529763ea500be8aeb542649839b219131059"},
    {12, 256, 144, 2, {0, 2}, "ff8a0efd6e279543180ccb015cc02d6e974bf5b9543e267dbadb89f6878b0f37"},
    {13, 256, 176, 2, {0, 2}, "22d4c5216be6c2e556ac5807f3d54cc53aadc86baecc32a473bef47ba8a0dc2c"},
    {14, 256, 210, 1, {208}, "13bc3dfb509dde61e8fef5f47a5f1fc958dceeb0b95f5ed305765b3b353d5082"},
};

#define N_TYPES (sizeof types / sizeof *types)

static void put_blocks(size_t t) {
    size_t n_blocks = 512 / types[t].elements, start = n_bytes;
    for (uint64_t k = 0; k < n_blocks * types[t].bytes; k++) {
        put(&(uint8_t){(uint8_t)((k * k * 31 + k * 17 + types[t].number * 101) >> 3)}, 1);
    }
    for (size_t b = 0; b < n_blocks; b++) {
        for (size_t s = 0; s < types[t].n_scales; s++) {
            bytes[start + b * types[t].bytes + types[t].scales[s] + 1] &= 0xbf;
        }
    }
}

START_TEST(widens_every_type_as_its_reference_does) {
    struct gguf file;
    struct digest digest;
    mneme_error error;
    float values[512];
    for (size_t t = 0; t < N_TYPES; t++) {
        begin(3, 1, 0);
        put_tensor("w", 2, 256, types[t].number, 0);
        pad(32);
        put_blocks(t);
        assert_ok(open_bytes(&file, &error), &error);
        assert_ok(gguf_read_f32(&file, "w", 2, (size_t[]){2, 256}, values, &error), &error);
        assert_ok(digest_of_bytes(values, sizeof values, &digest, &error), &error);
        ck_assert_msg(strcmp(digest.hex, types[t].sha256) == 0, "type %u", types[t].number);
        gguf_close(&file);
    }
}
END_TEST

START_TEST(reads_metadata_of_every_type) {
    struct gguf file;
    mneme_error error;
    begin(2, 0, 8);
    put_key("i8", 1), put(&(int8_t){-3}, 1);
    put_key("u16", 2), put(&(uint16_t){65535}, 2);
    put_key("f32", 6), put(&(float){0.5f}, 4);
    put_key("f64", 12), put(&(double){HUGE_VAL}, 8);
    put_key("yes", 7), put("\1", 1);
    put_key("text", 8), put_string("h\xc3\xa9");
    put_key("u64", 10), put_u64(1u << 30);
    put_key("list", 9), put_u32(8), put_u64(2), put_string("a"), put_string("");
    assert_ok(open_bytes(&file, &error), &error);
    json_t *expected =
        json_pack("{s:i, s:i, s:f, s:n, s:b, s:s, s:i, s:[s,s]}", "i8", -3, "u16", 65535, "f32",
                  0.5, "f64", "yes", 1, "text", "h\xc3\xa9", "u64", 1 << 30, "list", "a", "");
    ck_assert(json_equal(file.metadata, expected));
    json_decref(expected);
    gguf_close(&file);
}
END_TEST

START_TEST(tensors_lie_where_the_alignment_says) {
    struct gguf file;
    mneme_error error;
    float value;
    begin(3, 2, 1);
    put_key("general.alignment", 4), put_u32(128);
    put_tensor("second", 1, 1, 0, 128);
    put_tensor("first", 1, 1, 0, 0);
    pad(128);
    put(&(float){1.0f}, 4);
    pad(128);
    put(&(float){2.0f}, 4);
    assert_ok(open_bytes(&file, &error), &error);
    assert_ok(gguf_read_f32(&file, "second", 2, (size_t[]){1, 1}, &value, &error), &error);
    ck_assert_float_eq(value, 2.0f);
    assert_refused(gguf_read_f32(&file, "second", 1, (size_t[]){1}, &value, &error), &error,
                   MNEME_BAD_INPUT, "`second`", "[1,1], must be [1]");
    assert_refused(gguf_check_f32(&file, "third", 1, (size_t[]){1}, &error), &error,
                   MNEME_BAD_INPUT, "a.gguf", "no tensor `third`");
    gguf_close(&file);
}
END_TEST

START_TEST(refuses_what_is_no_such_file) {
    begin(1, 0, 0);
    check_refused("a.gguf", "version 1: must be 2 or 3");
    begin(3u << 24, 0, 0);
    check_refused("a.gguf", "byte order");
    begin(3, 1u << 30, 0);
    check_refused("a.gguf", "counts more tensors");
    begin(3, 0, 1);
    put_u64(UINT64_MAX - 3);
    put_u64(0), put_u64(0);
    check_refused("byte 32", "too long");
    begin(3, 0, 1);
    put_key("list", 9), put_u32(0), put_u64(UINT64_MAX / 2);
    check_refused("a.gguf", "longer than the file");
    begin(3, 0, 1);
    put_key("text", 8), put_string("\xff");
    check_refused("a.gguf", "not UTF-8");
    begin(3, 0, 2);
    put_key("k", 7), put("", 1);
    put_key("k", 7), put("", 1);
    check_refused("a.gguf", "second value");
    n_bytes = 3;
    check_refused("a.gguf", "too short");
}
END_TEST

static void begin_tensors(uint64_t columns, uint32_t type, uint64_t offset) {
    begin(3, 2, 0);
    put_tensor("a", 1, 4, 0, 0);
    put_tensor("b", 1, columns, type, offset);
    pad(32);
    pad(sizeof bytes);
}

START_TEST(refuses_tensors_that_cannot_be) {
    begin_tensors(33, 2, 32);
    check_refused("tensor `b`", "whole number of blocks");
    begin_tensors(4, 0, 8);
    check_refused("tensor `b`", "overlaps");
    begin_tensors(4, 0, sizeof bytes);
    check_refused("tensor `b`", "outside the file");
    begin_tensors(UINT64_MAX, 0, 0);
    check_refused("tensor `b`", "more bytes than can be");
    begin(3, 2, 0);
    put_tensor("a", 1, 1, 0, 0);
    put_tensor("a", 1, 1, 0, 32);
    pad(1024);
    check_refused("tensor `a`", "twice");
}
END_TEST

START_TEST(an_unknown_type_is_refused_when_it_is_read) {
    struct gguf file;
    mneme_error error;
    begin_tensors(4, 99, 32);
    assert_ok(open_bytes(&file, &error), &error);
    assert_refused(gguf_check_f32(&file, "b", 2, (size_t[]){1, 4}, &error), &error, MNEME_BAD_INPUT,
                   "tensor `b`", "type 99");
    gguf_close(&file);
}
END_TEST

START_TEST(no_cut_file_is_read) {
    struct gguf file;
    mneme_error error;
    begin(3, 1, 2);
    put_key("list", 9), put_u32(8), put_u64(2), put_string("a"), put_string("bc");
    put_key("f32", 6), put(&(float){0.5f}, 4);
    put_tensor("w", 1, 4, 0, 0);
    pad(32);
    put(&(float[4]){1, 2, 3, 4}, 16);
    for (size_t whole = n_bytes; n_bytes-- > 0;) {
        ck_assert_int_eq(open_bytes(&file, &error), MNEME_BAD_INPUT);
        ck_assert_uint_lt(n_bytes, whole);
    }
}
END_TEST

Suite *gguf_suite(void);
Suite *gguf_suite(void) {
    Suite *suite = suite_create("gguf");
    TCase *tests = tcase_create("gguf");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, widens_every_type_as_its_reference_does);
    tcase_add_test(tests, reads_metadata_of_every_type);
    tcase_add_test(tests, tensors_lie_where_the_alignment_says);
    tcase_add_test(tests, refuses_what_is_no_such_file);
    tcase_add_test(tests, refuses_tensors_that_cannot_be);
    tcase_add_test(tests, an_unknown_type_is_refused_when_it_is_read);
    tcase_add_test(tests, no_cut_file_is_read);
    suite_add_tcase(suite, tests);
    return suite;
}
