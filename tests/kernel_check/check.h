#ifndef TESTS_KERNEL_CHECK_CHECK_H
#define TESTS_KERNEL_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/simd.h"

/* Every kernel of an instruction set against the scalar one, bit for bit, after dav1d's checkasm:
 * random and edge sizes, inputs with zeros of both signs, subnormals and huge values, buffers that
 * end at a page that cannot be touched and begin after bytes that must not change. */

/* n floats that end at a forbidden page; the bytes before them are a pattern. */
struct buffer {
    float *data;
    size_t n;
    unsigned char *pages;
    size_t bytes; /* of the pages that may be touched */
};

struct buffer buffer_make(size_t n);
void buffer_free(struct buffer *buffer);

/* The same numbers as they are stored, at the end of their pages, and as floats. */
struct numbers {
    struct stored stored;
    struct buffer narrow; /* of 16 bits; for f32 one of nothing */
    struct buffer floats;
};
/* The bytes before the floats are as they were. */
bool buffer_intact(const struct buffer *buffer);

/* How inputs are made. HARD mixes +-0, subnormals, values near overflow and cancelling pairs;
 * COARSE has few different values, so that many are equal. */
enum kind { KIND_NORMAL, KIND_HARD, KIND_COARSE, KIND_COUNT };

/* One check under way. */
struct check {
    const char *kernel;
    const struct simd_kernels *scalar; /* the specification */
    const struct simd_kernels *other;
    uint64_t seed;
    uint64_t draws; /* random numbers used so far */
    size_t cases;
    bool failed;
    char message[512]; /* about the first failure */
};

uint32_t check_random(struct check *check, uint32_t bound);
void check_fill(struct check *check, enum kind kind, struct buffer *buffer);
struct buffer check_filled(struct check *check, enum kind kind, size_t n);
struct buffer check_copy(const struct buffer *from);
/* Finite numbers; of 16 bits after check_wide_of. */
struct numbers check_numbers(struct check *check, enum kind kind, enum stored_type type, size_t n);
void numbers_free(struct numbers *numbers);
/* What 16 bits mean, by the formats' definitions. */
float check_wide_of(enum stored_type type, uint16_t bits);

/* Records a failure, the first one with its words. */
void check_fail(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts a case: both buffers hold the same bits (any NaN equals any NaN) and nothing before them
 * was written. `what` describes the case. */
void check_same(struct check *check, const struct buffer *scalar, const struct buffer *other,
                const char *what, size_t n, size_t m, size_t k);

/* The same for one number. */
void check_same_value(struct check *check, float scalar, float other, const char *what, size_t n);

/* Sizes that vector kernels are tried with: check_size(check, 0) is 0, and so on without a hole to
 * two vectors and one more, then some beyond. Notes it as the size of the case under way. */
size_t check_size(struct check *check, size_t i);
extern const size_t check_n_sizes;

/* Notes that a case of these sizes begins; 0 for those that it does not have. */
void check_begin(struct check *check, size_t n, size_t m, size_t k);

/* From now on a crash says which case was under way, and how to repeat it. */
void check_watch(void);

typedef void (*check_function)(struct check *check);

/* One per kernel of simd/kernels.def, by its name. */
#define KERNEL(result, name, arguments) void check_##name(struct check *check);
#include "simd/kernels.def"
#undef KERNEL

#endif
