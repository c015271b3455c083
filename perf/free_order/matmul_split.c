/* The benchmark build without the contract: products whose k is long are split between the threads,
 * each of which has sums of its own that are added at the end. Put beside src/nn/matmul.c by
 * perf/canonical_price.sh, which renames the `matmul` there. Never part of the engine. */

#include <omp.h>
#include <stdlib.h>

#include "nn/matmul.h"

void matmul_whole(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
                  struct matrix b, float *c, size_t c_stride, bool accumulate);

#define MAX_THREADS 64

static struct matmul_scratch scratches[MAX_THREADS];
static float *sums[MAX_THREADS];
static size_t capacity;

static bool reserve(size_t threads, size_t count) {
    mneme_error error;
    for (size_t t = 0; t < threads; t++) {
        if (scratches[t].panels == NULL && matmul_scratch_open(&scratches[t], &error) != MNEME_OK) {
            return false;
        }
        if (count <= capacity && sums[t] != NULL) continue;
        free(sums[t]);
        sums[t] = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
        if (sums[t] == NULL) return false;
    }
    if (count > capacity) capacity = count;
    return true;
}

void matmul(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
            struct matrix b, float *c, size_t c_stride, bool accumulate) {
    size_t threads = (size_t)omp_get_max_threads();
    bool splits = threads > 1 && threads <= MAX_THREADS && k >= 4 * m && k >= 4 * n && k >= 512;
    if (!splits || !reserve(threads, m * n)) {
        matmul_whole(scratch, m, n, k, a, b, c, c_stride, accumulate);
        return;
    }
#pragma omp parallel num_threads((int)threads)
    {
        size_t t = (size_t)omp_get_thread_num();
        size_t first = k * t / threads, length = k * (t + 1) / threads - first;
        struct matrix a_part = a, b_part = b;
        a_part.stored = stored_from(a.stored, first * a.column_stride);
        b_part.stored = stored_from(b.stored, first * b.row_stride);
        matmul_serial(&scratches[t], m, n, length, a_part, b_part, sums[t], n, false);
#pragma omp barrier
#pragma omp for schedule(static)
        for (size_t i = 0; i < m; i++) {
            for (size_t j = 0; j < n; j++) {
                float sum = accumulate ? c[i * c_stride + j] : 0.0f;
                for (size_t other = 0; other < threads; other++) sum += sums[other][i * n + j];
                c[i * c_stride + j] = sum;
            }
        }
    }
}
