/* Selection, gather and scatter. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_check/check.h"

struct candidate {
    float score;
    size_t position;
    struct key_pair pair;
};

static int by_score(const void *a, const void *b) {
    const struct candidate *x = a, *y = b;
    if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static struct buffer candidates(struct check *check, size_t n, size_t round) {
    struct buffer x = check_filled(check, (enum kind)(round % KIND_COUNT), n);
    if (round % 5 == 4) {
        for (size_t i = 0; i < n; i += 3) x.data[i] = i % 2 == 0 ? -INFINITY : INFINITY;
    }
    return x;
}

void check_topk_row(struct check *check) {
    for (size_t s = 1; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        for (size_t round = 0; round < 10; round++) {
            size_t k = round == 0 ? n : round == 1 ? 1 : 1 + check_random(check, (uint32_t)n);
            struct buffer x = candidates(check, n, round), top = buffer_make(k);
            struct buffer expected = buffer_make(k);
            int32_t *indices = malloc(k * sizeof *indices);
            struct candidate *all = calloc(n, sizeof *all);
            for (size_t i = 0; i < n; i++) {
                all[i] = (struct candidate){.score = x.data[i], .position = i};
            }
            qsort(all, n, sizeof *all, by_score);
            for (size_t i = 0; i < k; i++) expected.data[i] = all[i].score;
            if (!check->other->topk_row(n, x.data, k, top.data, indices)) {
                check_fail(check, "refused without a NaN (%zu of %zu)", k, n);
            }
            check_same(check, &expected, &top, "scores", n, k, round);
            for (size_t i = 0; i < k; i++) {
                if ((size_t)indices[i] == all[i].position) continue;
                check_fail(check, "%zu of %zu: place %zu has index %d, not %zu", k, n, i,
                           (int)indices[i], all[i].position);
            }
            x.data[check_random(check, (uint32_t)n)] = NAN;
            if (check->other->topk_row(n, x.data, k, top.data, indices)) {
                check_fail(check, "a NaN among %zu is not seen", n);
            }
            free(all);
            free(indices);
            buffer_free(&x);
            buffer_free(&top);
            buffer_free(&expected);
        }
    }
}

static int descending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x > y ? -1 : x < y;
}

static void check_pairs(struct check *check, size_t k, enum kind kind) {
    struct buffer rows = check_filled(check, kind, k), columns = check_filled(check, kind, k);
    struct buffer top = buffer_make(k), expected = buffer_make(k);
    check_begin(check, k, 0, 0);
    int32_t keys[2][256];
    struct key_pair pairs[256];
    struct candidate *all = calloc(k * k, sizeof *all);
    qsort(rows.data, k, sizeof(float), descending);
    qsort(columns.data, k, sizeof(float), descending);
    for (size_t i = 0; i < k; i++) {
        keys[0][i] = (int32_t)(i * 3 % 300);
        keys[1][i] = (int32_t)(299 - i);
    }
    for (size_t i = 0; i < k * k; i++) {
        int32_t row = keys[0][i / k], column = keys[1][i % k];
        all[i] = (struct candidate){
            rows.data[i / k] + columns.data[i % k], i, {row * 300 + column, row, column}};
    }
    qsort(all, k * k, sizeof *all, by_score);
    if (!check->other->product_key_topk(k, 300, rows.data, keys[0], columns.data, keys[1], top.data,
                                        pairs)) {
        check_fail(check, "refused without a NaN, k %zu", k);
    }
    for (size_t i = 0; i < k; i++) {
        expected.data[i] = all[i].score;
        if (memcmp(&pairs[i], &all[i].pair, sizeof pairs[i]) == 0) continue;
        check_fail(check, "k %zu: place %zu has slot %d, not %d", k, i, (int)pairs[i].slot,
                   (int)all[i].pair.slot);
    }
    check_same(check, &expected, &top, "scores", k, (size_t)kind, 0);
    rows.data[0] = NAN;
    if (check->other->product_key_topk(k, 300, rows.data, keys[0], columns.data, keys[1], top.data,
                                       pairs)) {
        check_fail(check, "a NaN sum is not seen, k %zu", k);
    }
    free(all);
    buffer_free(&rows);
    buffer_free(&columns);
    buffer_free(&top);
    buffer_free(&expected);
}

void check_product_key_topk(struct check *check) {
    for (size_t k = 1; k <= 70; k++) {
        check_pairs(check, k, KIND_NORMAL);
        check_pairs(check, k, KIND_COARSE);
    }
}

/* A table, slots in it and a factor for each. */
struct reads {
    size_t n, width, rows;
    struct numbers table;
    struct buffer factors;
    int32_t slots[64];
};

static struct reads make_reads(struct check *check, enum stored_type type, size_t width, size_t n) {
    struct reads reads = {.n = n, .width = width, .rows = 1 + check_random(check, 30)};
    reads.table = check_numbers(check, KIND_HARD, type, reads.rows * width);
    reads.factors = check_filled(check, KIND_NORMAL, n);
    for (size_t i = 0; i < n; i++) {
        reads.slots[i] = (int32_t)check_random(check, (uint32_t)reads.rows);
    }
    return reads;
}

static void free_reads(struct reads *reads) {
    numbers_free(&reads->table);
    buffer_free(&reads->factors);
}

/* Gather begins at 0, scatter continues the row; both are the same chain. */
static void check_chain_of(struct check *check, enum stored_type type, bool gather) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t width = check_size(check, s);
        struct reads r = make_reads(check, type, width, check_random(check, 64));
        struct buffer row = check_filled(check, KIND_NORMAL, width);
        struct buffer other = check_copy(&row), plain = check_copy(&row);
        for (size_t j = 0; j < width; j++) {
            float sum = gather ? 0.0f : plain.data[j];
            for (size_t i = 0; i < r.n; i++) {
                sum = fmaf(r.factors.data[i], r.table.floats.data[(size_t)r.slots[i] * width + j],
                           sum);
            }
            plain.data[j] = sum;
        }
        if (gather) {
            check->scalar->gather_rows(r.n, width, r.factors.data, r.slots, r.table.stored,
                                       row.data);
            check->other->gather_rows(r.n, width, r.factors.data, r.slots, r.table.stored,
                                      other.data);
        } else {
            check->scalar->scatter_row(r.n, width, r.factors.data, r.slots, r.table.stored, width,
                                       row.data);
            check->other->scatter_row(r.n, width, r.factors.data, r.slots, r.table.stored, width,
                                      other.data);
        }
        check_same(check, &plain, &row, "scalar against a plain loop", width, r.n, 0);
        check_same(check, &row, &other, "row", width, r.n, 0);
        free_reads(&r);
        buffer_free(&row);
        buffer_free(&other);
        buffer_free(&plain);
    }
}

static void check_chain(struct check *check, bool gather) {
    for (enum stored_type type = 0; type < STORED_TYPES; type++) {
        check_chain_of(check, type, gather);
    }
}

void check_gather_rows(struct check *check) {
    check_chain(check, true);
}

void check_scatter_row(struct check *check) {
    check_chain(check, false);
}

static void check_dots(struct check *check, enum stored_type type) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t width = check_size(check, s);
        struct reads r = make_reads(check, type, width, check_random(check, 64));
        struct buffer x = check_filled(check, KIND_NORMAL, width);
        struct buffer dots = buffer_make(r.n), other = buffer_make(r.n);
        check->scalar->gather_dots(r.n, width, r.slots, r.table.stored, x.data, dots.data);
        check->other->gather_dots(r.n, width, r.slots, r.table.stored, x.data, other.data);
        check_same(check, &dots, &other, "products", width, r.n, 0);
        check->scalar->gather_dots(r.n, width, r.slots, stored_f32(r.table.floats.data), x.data,
                                   dots.data);
        check_same(check, &dots, &other, "products of the same floats", width, r.n, 0);
        free_reads(&r);
        buffer_free(&x);
        buffer_free(&dots);
        buffer_free(&other);
    }
}

void check_gather_dots(struct check *check) {
    for (enum stored_type type = 0; type < STORED_TYPES; type++) check_dots(check, type);
}
