/* Kernels on rows: softmax, norm, cross-entropy, sums over rows, attention. */

#include <math.h>
#include <stdlib.h>

#include "kernel_check/check.h"

/* Values that exp can take without all becoming 0 or infinity. */
static struct buffer scores(struct check *check, size_t n) {
    struct buffer x = check_filled(check, KIND_NORMAL, n);
    float scale = (float)(1 + check_random(check, 40));
    for (size_t i = 0; i < n; i++) x.data[i] *= scale;
    return x;
}

void check_softmax_row(struct check *check) {
    for (size_t s = 1; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        struct buffer x = scores(check, n), other = check_copy(&x), exact = check_copy(&x);
        check->scalar->softmax_row(n, x.data);
        check->other->softmax_row(n, other.data);
        check_same(check, &x, &other, "softmax", n, 0, 0);
        double greatest = -INFINITY, sum = 0.0;
        for (size_t i = 0; i < n; i++) {
            if ((double)exact.data[i] > greatest) greatest = (double)exact.data[i];
        }
        for (size_t i = 0; i < n; i++) sum += exp((double)exact.data[i] - greatest);
        for (size_t i = 0; i < n; i++) {
            double below = greatest - (double)exact.data[i], wanted = exp(-below) / sum;
            /* Rounding the difference to float costs half an ULP of it. */
            if (fabs((double)x.data[i] - wanted) <= (2e-6 + 1e-7 * below) * wanted) continue;
            check_fail(check, "softmax of %zu: element %zu is %g, not %g", n, i, (double)x.data[i],
                       wanted);
        }
        buffer_free(&x);
        buffer_free(&other);
        buffer_free(&exact);
    }
}

void check_softmax_row_backward(struct check *check) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        struct buffer y = check_filled(check, KIND_NORMAL, n);
        struct buffer dy = check_filled(check, KIND_HARD, n), other = check_copy(&dy);
        check->scalar->softmax_row_backward(n, y.data, dy.data, dy.data);
        check->other->softmax_row_backward(n, y.data, other.data, other.data);
        check_same(check, &dy, &other, "gradient", n, 0, 0);
        buffer_free(&y);
        buffer_free(&dy);
        buffer_free(&other);
    }
}

void check_cross_entropy_row(struct check *check) {
    for (size_t s = 1; s < check_n_sizes; s++) {
        size_t n = check_size(check, s), target = check_random(check, (uint32_t)n);
        float scale = s % 3 == 0 ? 0.0f : 0.01f * (float)s;
        struct buffer x = scores(check, n), other = check_copy(&x), exact = check_copy(&x);
        float loss = check->scalar->cross_entropy_row(n, x.data, target, scale);
        float other_loss = check->other->cross_entropy_row(n, other.data, target, scale);
        check_same_value(check, loss, other_loss, "loss", n);
        if (scale != 0.0f) check_same(check, &x, &other, "gradient", n, target, 0);
        double sum = 0.0, at = (double)exact.data[target];
        for (size_t i = 0; i < n; i++) sum += exp((double)exact.data[i] - at);
        if (fabs((double)loss - log(sum)) > 1e-5 * (1.0 + log(sum))) {
            check_fail(check, "loss of %zu: %g, not %g", n, (double)loss, log(sum));
        }
        buffer_free(&x);
        buffer_free(&other);
        buffer_free(&exact);
    }
}

void check_rms_norm_row(struct check *check) {
    for (size_t s = 1; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        enum kind kind = s % 2 == 0 ? KIND_NORMAL : KIND_HARD;
        struct buffer x = check_filled(check, kind, n);
        struct buffer gain = check_filled(check, KIND_NORMAL, n);
        struct buffer y = buffer_make(n), other = buffer_make(n);
        float r = check->scalar->rms_norm_row(n, x.data, gain.data, 1e-5f, y.data);
        float other_r = check->other->rms_norm_row(n, x.data, gain.data, 1e-5f, other.data);
        check_same_value(check, r, other_r, "factor", n);
        check_same(check, &y, &other, "output", n, 0, 0);
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) sum += (double)x.data[i] * (double)x.data[i];
        double exact = 1.0 / sqrt(sum / (double)n + 1e-5);
        if (kind == KIND_NORMAL && fabs((double)r - exact) > 2e-6 * exact) {
            check_fail(check, "factor of %zu: %g, not %g", n, (double)r, exact);
        }
        buffer_free(&x);
        buffer_free(&gain);
        buffer_free(&y);
        buffer_free(&other);
    }
}

void check_rms_norm_row_backward(struct check *check) {
    for (size_t s = 1; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        struct buffer x = check_filled(check, KIND_NORMAL, n);
        struct buffer gain = check_filled(check, KIND_NORMAL, n);
        struct buffer dy = check_filled(check, KIND_HARD, n), other = check_copy(&dy);
        check->scalar->rms_norm_row_backward(n, x.data, gain.data, 1.3f, dy.data, dy.data);
        check->other->rms_norm_row_backward(n, x.data, gain.data, 1.3f, other.data, other.data);
        check_same(check, &dy, &other, "gradient", n, 0, 0);
        buffer_free(&x);
        buffer_free(&gain);
        buffer_free(&dy);
        buffer_free(&other);
    }
}

/* Sums over rows, whose columns are a part of wider rows. */
static void check_over_rows(struct check *check, bool gain_gradient) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t columns = check_size(check, s), rows = check_random(check, 20);
        size_t stride = columns + check_random(check, 4);
        size_t n = rows == 0 ? 0 : (rows - 1) * stride + columns;
        struct buffer x = check_filled(check, KIND_HARD, n),
                      dy = check_filled(check, KIND_NORMAL, n);
        struct buffer r = check_filled(check, KIND_NORMAL, rows);
        struct buffer sum = check_filled(check, KIND_NORMAL, columns), other = check_copy(&sum);
        struct buffer plain = check_copy(&sum);
        for (size_t i = 0; i < rows; i++) {
            for (size_t j = 0; j < columns; j++) {
                float *to = &plain.data[j], value = x.data[i * stride + j];
                *to = gain_gradient ? fmaf(dy.data[i * stride + j], value * r.data[i], *to)
                                    : *to + value;
            }
        }
        if (gain_gradient) {
            check->scalar->rms_norm_gain_gradient(rows, columns, stride, x.data, r.data, dy.data,
                                                  sum.data);
            check->other->rms_norm_gain_gradient(rows, columns, stride, x.data, r.data, dy.data,
                                                 other.data);
        } else {
            check->scalar->column_sums(rows, columns, stride, x.data, sum.data);
            check->other->column_sums(rows, columns, stride, x.data, other.data);
        }
        check_same(check, &plain, &sum, "scalar against a plain loop", columns, rows, stride);
        check_same(check, &sum, &other, "sums", columns, rows, stride);
        struct buffer *all[] = {&x, &dy, &r, &sum, &other, &plain};
        for (size_t i = 0; i < 6; i++) buffer_free(all[i]);
    }
}

void check_rms_norm_gain_gradient(struct check *check) {
    check_over_rows(check, true);
}

void check_column_sums(struct check *check) {
    check_over_rows(check, false);
}

/* The inputs of one head and what it gives. */
struct attention {
    struct buffer q, keys, values, weights, output;
};

static struct attention_rows rows_of(const struct attention *a, size_t n, size_t past, size_t dim,
                                     size_t stride) {
    return (struct attention_rows){.n_rows = n,
                                   .first_position = past,
                                   .head_dim = dim,
                                   .scale = 0.3f,
                                   .queries = a->q.data,
                                   .query_stride = dim,
                                   .keys = a->keys.data,
                                   .key_stride = stride,
                                   .values = a->values.data,
                                   .value_stride = dim,
                                   .weights = a->weights.data,
                                   .weight_stride = stride,
                                   .output = a->output.data,
                                   .output_stride = dim};
}

static void check_head(struct check *check, size_t n, size_t past, size_t dim) {
    check_begin(check, n, past, dim);
    size_t positions = n + past;
    size_t stride =
        (positions + ATTENTION_KEY_BLOCK - 1) / ATTENTION_KEY_BLOCK * ATTENTION_KEY_BLOCK;
    struct attention a = {.q = check_filled(check, KIND_NORMAL, n * dim),
                          .keys = check_filled(check, KIND_NORMAL, dim * stride),
                          .values = check_filled(check, KIND_HARD, positions * dim),
                          .weights = buffer_make(n * stride),
                          .output = buffer_make(n * dim)};
    struct attention other = a, single = a;
    other.weights = buffer_make(n * stride);
    other.output = buffer_make(n * dim);
    single.weights = buffer_make(stride);
    single.output = buffer_make(n * dim);
    struct attention_rows rows = rows_of(&a, n, past, dim, stride);
    check->scalar->attention_forward(&rows);
    struct attention_rows other_rows = rows_of(&other, n, past, dim, stride);
    check->other->attention_forward(&other_rows);
    check_same(check, &a.weights, &other.weights, "weights", n, past, dim);
    check_same(check, &a.output, &other.output, "output", n, past, dim);
    /* Query by query, as in decoding. */
    for (size_t r = 0; r < n; r++) {
        struct attention_rows one = rows_of(&single, 1, past + r, dim, stride);
        one.queries += r * dim;
        one.output += r * dim;
        check->other->attention_forward(&one);
    }
    check_same(check, &a.output, &single.output, "query by query", n, past, dim);
    struct buffer *all[] = {&a.q,          &a.keys,         &a.values,
                            &a.weights,    &a.output,       &other.weights,
                            &other.output, &single.weights, &single.output};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) buffer_free(all[i]);
}

void check_attention_forward(struct check *check) {
    static const size_t dims[] = {2, 6, 16, 18, 32, 40, 64};
    for (size_t n = 1; n <= 40; n += n < 10 ? 1 : 7) {
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            check_head(check, n, d % 2 == 0 ? 0 : check_random(check, 50), dims[d]);
        }
    }
}
