/* Rounding to 16 bits is torch's (2.13, `.to(torch.bfloat16)` and `.half()`, on a CPU). */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "tensor/narrow.h"
#include "tests/assertions.h"

/* A float, and what torch makes of it: zeros, subnormals of all three types, ties, the greatest
 * numbers and what is beyond them, NaN; random bits, and random numbers that f16 has. */
static const struct {
    uint32_t bits;
    uint16_t bf16, f16;
} of_torch[] = {
    {0x00000000u, 0x0000, 0x0000}, {0x80000000u, 0x8000, 0x8000}, {0x00000001u, 0x0000, 0x0000},
    {0x80000001u, 0x8000, 0x8000}, {0x007fffffu, 0x0080, 0x0000}, {0x00800000u, 0x0080, 0x0000},
    {0x00008000u, 0x0000, 0x0000}, {0x00018000u, 0x0002, 0x0000}, {0x00007fffu, 0x0000, 0x0000},
    {0x00008001u, 0x0001, 0x0000}, {0x33000000u, 0x3300, 0x0000}, {0x33000001u, 0x3300, 0x0001},
    {0x32ffffffu, 0x3300, 0x0000}, {0x33800000u, 0x3380, 0x0001}, {0xb3400000u, 0xb340, 0x8001},
    {0x33c00000u, 0x33c0, 0x0002}, {0x33c00001u, 0x33c0, 0x0002}, {0x387fc000u, 0x3880, 0x03ff},
    {0x387fe000u, 0x3880, 0x0400}, {0x387ff000u, 0x3880, 0x0400}, {0x38800000u, 0x3880, 0x0400},
    {0x387fdfffu, 0x3880, 0x03ff}, {0x38000000u, 0x3800, 0x0200}, {0x38001000u, 0x3800, 0x0200},
    {0x38002000u, 0x3800, 0x0200}, {0x38003000u, 0x3800, 0x0201}, {0x3f800000u, 0x3f80, 0x3c00},
    {0x3f801000u, 0x3f80, 0x3c00}, {0x3f800fffu, 0x3f80, 0x3c00}, {0x3f801001u, 0x3f80, 0x3c01},
    {0x3f803000u, 0x3f80, 0x3c02}, {0x3f808000u, 0x3f80, 0x3c04}, {0x3f807fffu, 0x3f80, 0x3c04},
    {0x3f808001u, 0x3f81, 0x3c04}, {0x3f818000u, 0x3f82, 0x3c0c}, {0xbf818000u, 0xbf82, 0xbc0c},
    {0x477fe000u, 0x4780, 0x7bff}, {0x477fefffu, 0x4780, 0x7bff}, {0x477ff000u, 0x4780, 0x7c00},
    {0xc77fefffu, 0xc780, 0xfbff}, {0xc77ff000u, 0xc780, 0xfc00}, {0x47800000u, 0x4780, 0x7c00},
    {0x7f7f7fffu, 0x7f7f, 0x7c00}, {0x7f7f8000u, 0x7f80, 0x7c00}, {0x7f7fffffu, 0x7f80, 0x7c00},
    {0xff7f8000u, 0xff80, 0xfc00}, {0x7f800000u, 0x7f80, 0x7c00}, {0xff800000u, 0xff80, 0xfc00},
    {0x7fc00000u, 0xffff, 0x7e00}, {0xffc00000u, 0xffff, 0xfe00}, {0x7f800001u, 0xffff, 0x7e00},
    {0x7fbfffffu, 0xffff, 0x7fff}, {0x9f767c45u, 0x9f76, 0x8000}, {0x4164d839u, 0x4165, 0x4b27},
    {0xbde5c099u, 0xbde6, 0xaf2e}, {0x5bc8fbbcu, 0x5bc9, 0x7c00}, {0xcb91ce37u, 0xcb92, 0xfc00},
    {0xb0c11fdeu, 0xb0c1, 0x8000}, {0xf1446beau, 0xf144, 0xfc00}, {0xd76d4330u, 0xd76d, 0xfc00},
    {0xbd69fe29u, 0xbd6a, 0xab50}, {0xa6eb8c9eu, 0xa6ec, 0x8000}, {0xec1d7da0u, 0xec1d, 0xfc00},
    {0x87b0b125u, 0x87b1, 0x8000}, {0x076ce2efu, 0x076d, 0x0000}, {0xd7210dffu, 0xd721, 0xfc00},
    {0x77330bdbu, 0x7733, 0x7c00}, {0xc6a53877u, 0xc6a5, 0xf52a}, {0xf17fd374u, 0xf180, 0xfc00},
    {0x3fc1ea36u, 0x3fc2, 0x3e0f}, {0xa6233255u, 0xa623, 0x8000}, {0x0d464138u, 0x0d46, 0x0000},
    {0x350e7d88u, 0x350e, 0x0009}, {0x3f6f2938u, 0x3f6f, 0x3b79}, {0x3c4599f4u, 0x3c46, 0x222d},
    {0x421fea11u, 0x4220, 0x50ff}, {0x471bbdcdu, 0x471c, 0x78de}, {0xb8974e41u, 0xb897, 0x84ba},
    {0xbc146de9u, 0xbc14, 0xa0a3}, {0xb211c321u, 0xb212, 0x8000}, {0x43b8f060u, 0x43b9, 0x5dc8},
    {0xb4003a28u, 0xb400, 0x8002}, {0xb01acf77u, 0xb01b, 0x8000}, {0xb6fae571u, 0xb6fb, 0x807d},
    {0x356fab0eu, 0x3570, 0x000f}, {0xb92825bau, 0xb928, 0x8941}, {0xb6450546u, 0xb645, 0x8031},
    {0x45d017edu, 0x45d0, 0x6e81}, {0xb5f871e6u, 0xb5f8, 0x801f}, {0xc6193355u, 0xc619, 0xf0ca},
    {0x3c263eb6u, 0x3c26, 0x2132}, {0x3bb51ba9u, 0x3bb5, 0x1da9}, {0x34a1c496u, 0x34a2, 0x0005},
    {0xbaa692efu, 0xbaa7, 0x9535}, {0x434b06adu, 0x434b, 0x5a58}, {0xc356c68cu, 0xc357, 0xdab6},
};

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* torch gives NaN other bits in its vector loops than outside; here a NaN keeps its sign. */
static void check_nan(uint16_t bits, uint32_t from, uint16_t infinity) {
    ck_assert_uint_gt(bits & 0x7fff, infinity);
    ck_assert_uint_eq(bits >> 15, from >> 31);
}

START_TEST(as_torch) {
    for (size_t i = 0; i < sizeof of_torch / sizeof *of_torch; i++) {
        const uint32_t bits = of_torch[i].bits;
        const uint16_t bf16 = narrow_to_bf16(float_of(bits)), f16 = narrow_to_f16(float_of(bits));
        if (isnan(float_of(bits))) {
            check_nan(bf16, bits, 0x7f80);
            check_nan(f16, bits, 0x7c00);
            continue;
        }
        ck_assert_msg(bf16 == of_torch[i].bf16, "%08x becomes the bf16 %04x, not %04x", bits, bf16,
                      of_torch[i].bf16);
        ck_assert_msg(f16 == of_torch[i].f16, "%08x becomes the f16 %04x, not %04x", bits, f16,
                      of_torch[i].f16);
    }
}
END_TEST

/* The bits 0, 4099, 2 * 4099, … as floats, those that are no NaN: the SHA-256 of what torch makes
 * of them. */
#define STRIDE 4099
#define N_SPREAD 1043716

START_TEST(over_all_floats) {
    uint16_t *bits = malloc(N_SPREAD * sizeof *bits);
    float *spread = malloc(N_SPREAD * sizeof *spread);
    struct digest digest;
    mneme_error error;
    size_t n = 0;
    for (uint64_t b = 0; b <= UINT32_MAX; b += STRIDE) {
        const float value = float_of((uint32_t)b);
        if (!isnan(value)) spread[n++] = value;
    }
    ck_assert_uint_eq(n, N_SPREAD);
    narrow_floats(STORED_BF16, n, spread, bits);
    assert_ok(digest_of_bytes(bits, n * sizeof *bits, &digest, &error), &error);
    ck_assert_str_eq(digest.hex,
                     "2b291cd7f2d2fea4f364b90d10a670d4cc8da184b9f7ef1928a72a8e23699a47");
    narrow_floats(STORED_F16, n, spread, bits);
    assert_ok(digest_of_bytes(bits, n * sizeof *bits, &digest, &error), &error);
    ck_assert_str_eq(digest.hex,
                     "07051e9de85ca8ffe434662a5e75951bae9f21b49d2ecb7cef55ce246bb2aad2");
    free(spread);
    free(bits);
}
END_TEST

/* Every number of 16 bits is itself again. */
START_TEST(there_and_back) {
    for (uint32_t i = 0; i < 0x10000; i++) {
        const uint16_t bits = (uint16_t)i;
        const float bf16 = stored_float_of_bf16(bits), f16 = stored_float_of_f16(bits);
        if (!isnan(bf16)) ck_assert_uint_eq(narrow_to_bf16(bf16), bits);
        if (!isnan(f16)) ck_assert_uint_eq(narrow_to_f16(f16), bits);
        ck_assert(isnan(bf16) || narrow_is_exact(STORED_BF16, 1, &bf16));
        ck_assert(isnan(f16) || narrow_is_exact(STORED_F16, 1, &f16));
    }
}
END_TEST

START_TEST(what_does_not_fit) {
    const float numbers[] = {65504.0f, -65519.0f, INFINITY, 1e5f, 3.3e38f, 3.4e38f};
    ck_assert_uint_eq(narrow_first_beyond(STORED_F16, 3, numbers), 3);
    ck_assert_uint_eq(narrow_first_beyond(STORED_F16, 6, numbers), 3);
    ck_assert_uint_eq(narrow_first_beyond(STORED_BF16, 6, numbers), 5);
    ck_assert_uint_eq(narrow_first_beyond(STORED_F32, 6, numbers), 6);
    const float close[] = {1.0f, 1.0f + 0x1p-10f, 1.0f + 0x1p-11f};
    ck_assert(narrow_is_exact(STORED_F16, 2, close) && !narrow_is_exact(STORED_F16, 3, close));
    ck_assert(narrow_is_exact(STORED_BF16, 1, close) && !narrow_is_exact(STORED_BF16, 2, close));
    ck_assert(narrow_is_exact(STORED_F32, 3, close));
}
END_TEST

Suite *narrow_suite(void) {
    Suite *suite = suite_create("narrow");
    TCase *tests = tcase_create("rounding");
    tcase_add_test(tests, as_torch);
    tcase_add_test(tests, over_all_floats);
    tcase_add_test(tests, there_and_back);
    tcase_add_test(tests, what_does_not_fit);
    suite_add_tcase(suite, tests);
    return suite;
}
