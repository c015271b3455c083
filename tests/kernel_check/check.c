#include "kernel_check/check.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/random.h"

#define PATTERN 0xa5

#define N_WITHOUT_HOLE (2 * 16 + 2)
static const size_t larger_sizes[] = {47, 48, 49, 63, 64, 65, 100, 128, 255, 1000};
const size_t check_n_sizes = N_WITHOUT_HOLE + sizeof larger_sizes / sizeof *larger_sizes;

size_t check_size(struct check *check, size_t i) {
    size_t n = i < N_WITHOUT_HOLE ? i : larger_sizes[i - N_WITHOUT_HOLE];
    check_begin(check, n, 0, 0);
    return n;
}

/* What a crash writes: made before each case, since a signal's handler may only write it. */
static char crash[512];
static size_t crash_length;

void check_begin(struct check *check, size_t n, size_t m, size_t k) {
    const char *isa = simd_isa_name(check->other->isa);
    int length =
        snprintf(crash, sizeof crash,
                 "not ok kernel_%s_%s: crashed at sizes %zu %zu %zu\n"
                 "    again: kernel_check --kernel %s --isa %s --seed %llu\n",
                 check->kernel, isa, n, m, k, check->kernel, isa, (unsigned long long)check->seed);
    crash_length = (size_t)length;
}

/* Says what was being checked, and dies by the signal. */
static void tell_crash(int number) {
    if (write(STDOUT_FILENO, crash, crash_length) < 0) _exit(EXIT_FAILURE);
    signal(number, SIG_DFL);
    raise(number);
}

void check_watch(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], tell_crash);
}

/* So many bytes that end at a forbidden page. */
static struct buffer make_bytes(size_t n_bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = (n_bytes + 64 + page - 1) / page * page;
    unsigned char *pages =
        mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + bytes, page, PROT_NONE) != 0) {
        perror("kernel_check: no memory");
        exit(EXIT_FAILURE);
    }
    memset(pages, PATTERN, bytes);
    float *data = (float *)(void *)(pages + bytes - n_bytes);
    return (struct buffer){data, 0, pages, bytes};
}

struct buffer buffer_make(size_t n) {
    struct buffer buffer = make_bytes(n * sizeof(float));
    buffer.n = n;
    return buffer;
}

void buffer_free(struct buffer *buffer) {
    munmap(buffer->pages, buffer->bytes + (size_t)sysconf(_SC_PAGESIZE));
}

bool buffer_intact(const struct buffer *buffer) {
    const unsigned char *first = (const unsigned char *)buffer->data;
    for (const unsigned char *p = buffer->pages; p < first; p++) {
        if (*p != PATTERN) return false;
    }
    return true;
}

uint32_t check_random(struct check *check, uint32_t bound) {
    return random_below(check->seed, 77, check->draws++, bound);
}

static float random_value(struct check *check, enum kind kind, float before) {
    float u = random_uniform(check->seed, 78, check->draws++) * 2.0f - 1.0f;
    if (kind == KIND_COARSE) return roundf(u * 3.0f);
    if (kind == KIND_NORMAL) return u;
    static const float edges[] = {0.0f,  -0.0f,  1e-42f, -1e-45f, 1.17549435e-38f,
                                  3e38f, -2e38f, 1.0f};
    uint32_t choice = check_random(check, 16);
    return choice < 8 ? edges[choice] : choice < 10 ? -before : choice < 12 ? u * 1e-20f : u * 8.0f;
}

void check_fill(struct check *check, enum kind kind, struct buffer *buffer) {
    float before = 1.0f;
    for (size_t i = 0; i < buffer->n; i++) {
        before = buffer->data[i] = random_value(check, kind, before);
    }
}

struct buffer check_filled(struct check *check, enum kind kind, size_t n) {
    struct buffer buffer = buffer_make(n);
    check_fill(check, kind, &buffer);
    return buffer;
}

float check_wide_of(enum stored_type type, uint16_t bits) {
    const double sign = bits >> 15 ? -1.0 : 1.0;
    const int fraction_bits = type == STORED_F16 ? 10 : 7, bias = type == STORED_F16 ? 15 : 127;
    const int fraction = bits & ((1 << fraction_bits) - 1);
    const int exponent = (bits & 0x7fff) >> fraction_bits;
    if (exponent == 2 * bias + 1) return fraction == 0 ? (float)(sign * HUGE_VAL) : NAN;
    if (exponent == 0) return (float)(sign * ldexp(fraction, 1 - bias - fraction_bits));
    return (float)(sign * ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits));
}

/* Of a normal kind about 1, of a hard one any that is finite. */
static uint16_t random_bits(struct check *check, enum kind kind, enum stored_type type) {
    for (;;) {
        uint16_t bits = (uint16_t)check_random(check, 0x10000);
        const float value = check_wide_of(type, bits), magnitude = fabsf(value);
        if (!isfinite(value)) continue;
        if (kind == KIND_HARD || (magnitude < 8.0f && magnitude > 1e-3f)) return bits;
    }
}

struct numbers check_numbers(struct check *check, enum kind kind, enum stored_type type, size_t n) {
    struct numbers numbers = {.floats = check_filled(check, kind, n)};
    const bool is_narrow = type != STORED_F32;
    numbers.narrow = make_bytes(is_narrow ? n * sizeof(uint16_t) : 0);
    uint16_t *narrow = (uint16_t *)(void *)numbers.narrow.data;
    for (size_t i = 0; is_narrow && i < n; i++) {
        narrow[i] = random_bits(check, kind, type);
        numbers.floats.data[i] = check_wide_of(type, narrow[i]);
    }
    numbers.stored = is_narrow ? (struct stored){narrow, type} : stored_f32(numbers.floats.data);
    return numbers;
}

void numbers_free(struct numbers *numbers) {
    buffer_free(&numbers->narrow);
    buffer_free(&numbers->floats);
}

struct buffer check_copy(const struct buffer *from) {
    struct buffer buffer = buffer_make(from->n);
    memcpy(buffer.data, from->data, from->n * sizeof(float));
    return buffer;
}

void check_fail(struct check *check, const char *format, ...) {
    if (check->failed) return;
    check->failed = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->message, sizeof check->message, format, arguments);
    va_end(arguments);
}

static bool same_bits(float a, float b) {
    uint32_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y || (isnan(a) && isnan(b));
}

void check_same(struct check *check, const struct buffer *scalar, const struct buffer *other,
                const char *what, size_t n, size_t m, size_t k) {
    check->cases++;
    for (size_t i = 0; i < scalar->n; i++) {
        if (same_bits(scalar->data[i], other->data[i])) continue;
        check_fail(check, "%s (sizes %zu %zu %zu): element %zu is %.9g (%a), scalar has %.9g (%a)",
                   what, n, m, k, i, (double)other->data[i], (double)other->data[i],
                   (double)scalar->data[i], (double)scalar->data[i]);
        return;
    }
    if (!buffer_intact(scalar)) check_fail(check, "%s: scalar wrote before its buffer", what);
    if (!buffer_intact(other)) {
        check_fail(check, "%s: wrote before its buffer (%zu %zu)", what, n, m);
    }
}

void check_same_value(struct check *check, float scalar, float other, const char *what, size_t n) {
    check->cases++;
    if (same_bits(scalar, other)) return;
    check_fail(check, "%s (size %zu): %.9g (%a), scalar has %.9g (%a)", what, n, (double)other,
               (double)other, (double)scalar, (double)scalar);
}
