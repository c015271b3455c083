#include "nn/row_scatter.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

#include "profile/profile.h"
#include "simd/simd.h"

#define DIGIT_BITS 11
#define DIGITS ((size_t)1 << DIGIT_BITS)
/* Floats of a row that are asked for ahead of their use. */
#define PREFETCHED 256
/* Fewer contributions than this are not worth waking threads for. */
#define PARALLEL_CONTRIBUTIONS ((size_t)1 << 13)

mneme_status row_scatter_open(struct row_scatter *scatter, size_t capacity, mneme_error *error) {
    *scatter =
        (struct row_scatter){.capacity = capacity, .n_threads = (size_t)omp_get_max_threads()};
    const struct arena_piece pieces[] = {
        {&scatter->rows, capacity, sizeof(int32_t)},
        {&scatter->coefficients, capacity, sizeof(float)},
        {&scatter->sources, capacity, sizeof(int32_t)},
        {&scatter->group_rows, capacity, sizeof(int32_t)},
        {&scatter->group_starts, capacity + 1, sizeof(size_t)},
        {&scatter->sorted_coefficients, capacity, sizeof(float)},
        {&scatter->sorted_sources, capacity, sizeof(int32_t)},
        {&scatter->order, capacity, sizeof(uint64_t)},
        {&scatter->spare, capacity, sizeof(uint64_t)},
        {&scatter->counts, scatter->n_threads * DIGITS, sizeof(size_t)}};
    return arena_layout(&scatter->arena, sizeof pieces / sizeof *pieces, pieces,
                        "sorting of sparse gradients", error);
}

void row_scatter_close(struct row_scatter *scatter) {
    arena_close(&scatter->arena);
    *scatter = (struct row_scatter){0};
}

/* A thread's stretch of n elements. */
struct stretch {
    size_t first, end;
};

static struct stretch own_stretch(size_t n) {
    size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
    return (struct stretch){n * thread / threads, n * (thread + 1) / threads};
}

/* Counts become places: of digit d, the first thread's elements before the second's. */
static void place_digits(size_t *counts, size_t threads) {
    size_t place = 0;
    for (size_t d = 0; d < DIGITS; d++) {
        for (size_t t = 0; t < threads; t++) {
            size_t count = counts[t * DIGITS + d];
            counts[t * DIGITS + d] = place;
            place += count;
        }
    }
}

static size_t digit(uint64_t element, int shift) {
    return (size_t)(element >> (32 + shift)) & (DIGITS - 1);
}

/* One stable pass of a radix sort by the row's digit at `shift`, by all threads of a team. */
static void sort_by_digit(size_t *counts, size_t n, int shift, const uint64_t *from, uint64_t *to) {
    struct stretch own = own_stretch(n);
    size_t *places = counts + (size_t)omp_get_thread_num() * DIGITS;
    memset(places, 0, DIGITS * sizeof *places);
    for (size_t i = own.first; i < own.end; i++) places[digit(from[i], shift)]++;
#pragma omp barrier
#pragma omp single
    place_digits(counts, (size_t)omp_get_num_threads());
    for (size_t i = own.first; i < own.end; i++) to[places[digit(from[i], shift)]++] = from[i];
#pragma omp barrier
}

static bool starts_group(const uint64_t *order, size_t i) {
    return i == 0 || order[i] >> 32 != order[i - 1] >> 32;
}

/* By all threads of a team: each counts the groups that start in its stretch, and numbers them
 * after those of the threads before it. */
static void make_groups(struct row_scatter *scatter, const uint64_t *order, size_t n) {
    struct stretch own = own_stretch(n);
    size_t thread = (size_t)omp_get_thread_num(), count = 0, group = 0;
    for (size_t i = own.first; i < own.end; i++) count += starts_group(order, i);
    scatter->counts[thread] = count;
#pragma omp barrier
    for (size_t t = 0; t < thread; t++) group += scatter->counts[t];
    for (size_t i = own.first; i < own.end; i++) {
        uint32_t e = (uint32_t)order[i];
        if (starts_group(order, i)) {
            scatter->group_rows[group] = scatter->rows[e];
            scatter->group_starts[group++] = i;
        }
        scatter->sorted_coefficients[i] = scatter->coefficients[e];
        scatter->sorted_sources[i] = scatter->sources[e];
    }
    if (thread + 1 == (size_t)omp_get_num_threads()) {
        scatter->group_starts[group] = n;
        scatter->n_groups = group;
        scatter->sorted = order;
    }
}

void row_scatter_sort(struct row_scatter *scatter, size_t n, size_t n_table_rows) {
    PROFILE(sort_rows, n, n_table_rows);
    assert(n <= scatter->capacity);
#pragma omp parallel num_threads((int)scatter->n_threads) if (n >= PARALLEL_CONTRIBUTIONS)
    {
        uint64_t *from = scatter->order, *to = scatter->spare;
        struct stretch own = own_stretch(n);
        for (size_t i = own.first; i < own.end; i++) {
            from[i] = (uint64_t)(uint32_t)scatter->rows[i] << 32 | i;
        }
#pragma omp barrier
        for (int shift = 0; shift < 32 && (n_table_rows - 1) >> shift > 0; shift += DIGIT_BITS) {
            sort_by_digit(scatter->counts, n, shift, from, to);
            uint64_t *sorted = to;
            to = from;
            from = sorted;
        }
        make_groups(scatter, from, n);
    }
}

void row_scatter_weigh(struct row_scatter *scatter) {
    const size_t n = scatter->group_starts[scatter->n_groups];
#pragma omp parallel for schedule(static) if (n >= PARALLEL_CONTRIBUTIONS)
    for (size_t i = 0; i < n; i++) {
        scatter->sorted_coefficients[i] = scatter->coefficients[(uint32_t)scatter->sorted[i]];
    }
}

/* Asks for the beginning of a row that comes next; the hardware follows by itself. */
static void prefetch_row(const float *row, size_t width) {
    for (size_t j = 0; j < width && j < PREFETCHED; j += 16) __builtin_prefetch(row + j);
}

/* The first source of the next group, whose contributions begin at `next`. */
static void prefetch_source(const struct row_scatter *scatter, size_t next, size_t width,
                            const float *source, size_t source_stride) {
    if (next == scatter->group_starts[scatter->n_groups]) return;
    prefetch_row(source + (size_t)scatter->sorted_sources[next] * source_stride, width);
}

static void add_group(const struct simd_kernels *kernels, const struct row_scatter *scatter,
                      size_t group, size_t width, const float *source, size_t source_stride,
                      float *row) {
    size_t first = scatter->group_starts[group], end = scatter->group_starts[group + 1];
    prefetch_source(scatter, end, width, source, source_stride);
    kernels->scatter_row(end - first, width, scatter->sorted_coefficients + first,
                         scatter->sorted_sources + first, stored_f32(source), source_stride, row);
}

static void sum_group(const struct simd_kernels *kernels, const struct row_scatter *scatter,
                      size_t group, size_t width, const float *source, float *row) {
    size_t first = scatter->group_starts[group], end = scatter->group_starts[group + 1];
    prefetch_source(scatter, end, width, source, width);
    kernels->gather_rows(end - first, width, scatter->sorted_coefficients + first,
                         scatter->sorted_sources + first, stored_f32(source), row);
}

void row_scatter_add(const struct row_scatter *scatter, size_t width, const float *source,
                     size_t source_stride, float *table) {
    PROFILE(scatter_rows, scatter->group_starts[scatter->n_groups], width, scatter->n_groups);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t g = 0; g < scatter->n_groups; g++) {
        float *row = table + (size_t)scatter->group_rows[g] * width;
        if (g + 1 < scatter->n_groups) {
            prefetch_row(table + (size_t)scatter->group_rows[g + 1] * width, width);
        }
        add_group(kernels, scatter, g, width, source, source_stride, row);
    }
}

/* For the profile alone. */
static size_t chosen_contributions(const struct row_scatter *scatter, size_t n_chosen,
                                   const size_t *groups) {
    size_t n = 0;
    for (size_t i = 0; profile_is_watched() && i < n_chosen; i++) {
        n += scatter->group_starts[groups[i] + 1] - scatter->group_starts[groups[i]];
    }
    return n;
}

void row_scatter_compact(const struct row_scatter *scatter, size_t n_chosen, const size_t *groups,
                         size_t width, const float *source, size_t source_stride, float *compact) {
    PROFILE(scatter_rows, chosen_contributions(scatter, n_chosen, groups), width, n_chosen);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(dynamic, 4)
    for (size_t i = 0; i < n_chosen; i++) {
        float *row = compact + i * width;
        if (source_stride == width) { /* the same chain, begun without reading the row */
            sum_group(kernels, scatter, groups[i], width, source, row);
        } else {
            memset(row, 0, width * sizeof *row);
            add_group(kernels, scatter, groups[i], width, source, source_stride, row);
        }
    }
}
