#include "nn/row_scatter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "simd/simd.h"

#define DIGIT_BITS 8
#define DIGITS ((size_t)1 << DIGIT_BITS)

mneme_status row_scatter_open(struct row_scatter *scatter, size_t capacity, mneme_error *error) {
    *scatter = (struct row_scatter){.capacity = capacity};
    scatter->rows = memory_allocate(capacity, sizeof(int32_t));
    scatter->coefficients = memory_allocate(capacity, sizeof(float));
    scatter->sources = memory_allocate(capacity, sizeof(int32_t));
    scatter->group_rows = memory_allocate(capacity, sizeof(int32_t));
    scatter->group_starts = memory_allocate(capacity + 1, sizeof(size_t));
    scatter->sorted_coefficients = memory_allocate(capacity, sizeof(float));
    scatter->sorted_sources = memory_allocate(capacity, sizeof(int32_t));
    scatter->order = memory_allocate(capacity, sizeof(uint32_t));
    scatter->spare = memory_allocate(capacity, sizeof(uint32_t));
    if (scatter->rows == NULL || scatter->coefficients == NULL || scatter->sources == NULL ||
        scatter->group_rows == NULL || scatter->group_starts == NULL ||
        scatter->sorted_coefficients == NULL || scatter->sorted_sources == NULL ||
        scatter->order == NULL || scatter->spare == NULL) {
        row_scatter_close(scatter);
        return error_set_memory(error, "sorting of sparse gradients");
    }
    return MNEME_OK;
}

void row_scatter_close(struct row_scatter *scatter) {
    free(scatter->rows);
    free(scatter->coefficients);
    free(scatter->sources);
    free(scatter->group_rows);
    free(scatter->group_starts);
    free(scatter->sorted_coefficients);
    free(scatter->sorted_sources);
    free(scatter->order);
    free(scatter->spare);
    *scatter = (struct row_scatter){0};
}

/* One stable pass of a radix sort by the digit at `shift`. */
static void sort_by_digit(const int32_t *rows, size_t n, int shift, const uint32_t *from,
                          uint32_t *to) {
    size_t places[DIGITS] = {0};
    for (size_t i = 0; i < n; i++) places[((uint32_t)rows[from[i]] >> shift) & (DIGITS - 1)]++;
    size_t place = 0;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t count = places[d];
        places[d] = place;
        place += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[places[((uint32_t)rows[from[i]] >> shift) & (DIGITS - 1)]++] = from[i];
    }
}

static void make_groups(struct row_scatter *scatter, size_t n) {
    size_t groups = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t e = scatter->order[i];
        int32_t row = scatter->rows[e];
        if (groups == 0 || scatter->group_rows[groups - 1] != row) {
            scatter->group_rows[groups] = row;
            scatter->group_starts[groups++] = i;
        }
        scatter->sorted_coefficients[i] = scatter->coefficients[e];
        scatter->sorted_sources[i] = scatter->sources[e];
    }
    scatter->group_starts[groups] = n;
    scatter->n_groups = groups;
}

void row_scatter_sort(struct row_scatter *scatter, size_t n, size_t n_table_rows) {
    assert(n <= scatter->capacity);
    for (size_t i = 0; i < n; i++) scatter->order[i] = (uint32_t)i;
    for (int shift = 0; shift < 32 && (n_table_rows - 1) >> shift > 0; shift += DIGIT_BITS) {
        sort_by_digit(scatter->rows, n, shift, scatter->order, scatter->spare);
        uint32_t *sorted = scatter->spare;
        scatter->spare = scatter->order;
        scatter->order = sorted;
    }
    make_groups(scatter, n);
}

static void add_group(const struct row_scatter *scatter, size_t group, size_t width,
                      const float *source, size_t source_stride, float *row) {
    size_t first = scatter->group_starts[group], end = scatter->group_starts[group + 1];
    simd()->scatter_row(end - first, width, scatter->sorted_coefficients + first,
                        scatter->sorted_sources + first, source, source_stride, row);
}

void row_scatter_add(const struct row_scatter *scatter, size_t width, const float *source,
                     size_t source_stride, float *table) {
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t g = 0; g < scatter->n_groups; g++) {
        float *row = table + (size_t)scatter->group_rows[g] * width;
        add_group(scatter, g, width, source, source_stride, row);
    }
}

void row_scatter_compact(const struct row_scatter *scatter, size_t n_chosen, const size_t *groups,
                         size_t width, const float *source, size_t source_stride, float *compact) {
#pragma omp parallel for schedule(dynamic, 4)
    for (size_t i = 0; i < n_chosen; i++) {
        float *row = compact + i * width;
        memset(row, 0, width * sizeof *row);
        add_group(scatter, groups[i], width, source, source_stride, row);
    }
}
