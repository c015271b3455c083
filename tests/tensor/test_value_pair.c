/* Distances in units in the last place. */

#include <check.h>
#include <math.h>
#include <stdint.h>

#include "tensor/value_pair.h"

Suite *value_pair_suite(void);

static uint64_t ulp32(float a, float b) {
    return value_pair(TENSOR_F32, &a, &b).ulp;
}

START_TEST(floats) {
    ck_assert_uint_eq(ulp32(1.0f, 1.0f), 0);
    ck_assert_uint_eq(ulp32(1.0f, nextafterf(1.0f, 2.0f)), 1);
    ck_assert_uint_eq(ulp32(nextafterf(2.0f, 0.0f), 2.0f), 1);
    ck_assert_uint_eq(ulp32(1.0f, 2.0f), 1u << 23);
    ck_assert_uint_eq(ulp32(0.0f, -0.0f), 1);
    ck_assert_uint_eq(ulp32(0.0f, 0x1p-149f), 1);
    ck_assert_uint_eq(ulp32(-0x1p-149f, 0x1p-149f), 3);
    ck_assert_uint_eq(ulp32(3.4028234e38f, INFINITY), 1);
    ck_assert_uint_eq(ulp32(NAN, 1.0f), UINT64_MAX);
    ck_assert_uint_eq(ulp32(-INFINITY, INFINITY), 2u * 0x7f800000u + 1u);
    double a = 1.0, b = nextafter(1.0, 0.0);
    ck_assert_uint_eq(value_pair(TENSOR_F64, &a, &b).ulp, 1);
}
END_TEST

START_TEST(narrow_floats) {
    const uint16_t one = 0x3c00, above = 0x3c01, least = 0x0001, minus_two = 0xc000;
    const uint16_t infinity = 0x7c00, nan_bits = 0x7e00, b_one = 0x3f80, b_two = 0x4000;
    mneme_value_pair pair = value_pair(TENSOR_F16, &one, &above);
    ck_assert_double_eq(pair.a, 1.0);
    ck_assert_double_eq(pair.b, 1.0009765625);
    ck_assert_uint_eq(pair.ulp, 1);
    pair = value_pair(TENSOR_F16, &least, &minus_two);
    ck_assert_double_eq(pair.a, 0x1p-24);
    ck_assert_double_eq(pair.b, -2.0);
    pair = value_pair(TENSOR_F16, &infinity, &nan_bits);
    ck_assert_double_infinite(pair.a);
    ck_assert_double_nan(pair.b);
    ck_assert_uint_eq(pair.ulp, UINT64_MAX);
    pair = value_pair(TENSOR_BF16, &b_one, &b_two);
    ck_assert_double_eq(pair.a, 1.0);
    ck_assert_double_eq(pair.b, 2.0);
    ck_assert_uint_eq(pair.ulp, 128);
}
END_TEST

START_TEST(integers) {
    const int32_t low = INT32_MIN, high = INT32_MAX, minus = -3;
    const uint8_t small = 3, large = 250;
    const int64_t first = INT64_MIN, last = INT64_MAX;
    ck_assert_uint_eq(value_pair(TENSOR_I32, &low, &high).ulp, UINT32_MAX);
    ck_assert_double_eq(value_pair(TENSOR_I32, &minus, &high).a, -3.0);
    ck_assert_uint_eq(value_pair(TENSOR_U8, &large, &small).ulp, 247);
    ck_assert_uint_eq(value_pair(TENSOR_I64, &first, &last).ulp, UINT64_MAX);
}
END_TEST

Suite *value_pair_suite(void) {
    Suite *suite = suite_create("value_pair");
    TCase *tests = tcase_create("distances");
    tcase_add_test(tests, floats);
    tcase_add_test(tests, narrow_floats);
    tcase_add_test(tests, integers);
    suite_add_tcase(suite, tests);
    return suite;
}
