/* Reductions and element by element kernels. */

#include <math.h>

#include "kernel_check/check.h"

/* Rule 3 by its words: element i in lane i mod 16, then lanes fold 8, 4, 2, 1. */
static float by_definition(size_t n, const float *x, const float *y) {
    float lanes[16] = {0};
    for (size_t i = 0; i < n; i++) {
        lanes[i % 16] = y == NULL ? lanes[i % 16] + x[i] : fmaf(x[i], y[i], lanes[i % 16]);
    }
    for (int half = 8; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

enum reduction { SUM, SUM_SQUARES, DOT, MAX };

static float reduce(const struct simd_kernels *kernels, enum reduction reduction, size_t n,
                    const float *x, const float *y) {
    switch (reduction) {
        case SUM:
            return kernels->reduce_sum(n, x);
        case SUM_SQUARES:
            return kernels->reduce_sum_squares(n, x);
        case DOT:
            return kernels->reduce_dot(n, x, y);
        default:
            return kernels->reduce_max(n, x);
    }
}

static void check_reduction(struct check *check, enum reduction reduction) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
            struct buffer x = check_filled(check, kind, n), y = check_filled(check, kind, n);
            float scalar = reduce(check->scalar, reduction, n, x.data, y.data);
            float other = reduce(check->other, reduction, n, x.data, y.data);
            check_same_value(check, scalar, other, "against scalar", n);
            if (reduction != MAX) {
                const float *second = reduction == SUM ? NULL : reduction == DOT ? y.data : x.data;
                check_same_value(check, by_definition(n, x.data, second), other,
                                 "against the definition", n);
            }
            buffer_free(&x);
            buffer_free(&y);
        }
    }
}

void check_reduce_sum(struct check *check) {
    check_reduction(check, SUM);
}

void check_reduce_sum_squares(struct check *check) {
    check_reduction(check, SUM_SQUARES);
}

void check_reduce_dot(struct check *check) {
    check_reduction(check, DOT);
}

/* Of zeros of both signs max(a, b) = a > b ? a : b keeps the second. */
static void check_max_of_zeros(struct check *check) {
    for (size_t n = 2; n <= 40; n++) {
        struct buffer x = buffer_make(n);
        for (size_t i = 0; i < n; i++) x.data[i] = check_random(check, 2) == 0 ? 0.0f : -0.0f;
        check_same_value(check, check->scalar->reduce_max(n, x.data),
                         check->other->reduce_max(n, x.data), "zeros of both signs", n);
        buffer_free(&x);
    }
}

void check_reduce_max(struct check *check) {
    check_reduction(check, MAX);
    check_max_of_zeros(check);
}

void check_all_finite(struct check *check) {
    static const float bad[] = {INFINITY, -INFINITY, NAN};
    for (size_t s = 1; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        struct buffer x = check_filled(check, KIND_HARD, n);
        check->cases += 2;
        if (!check->other->all_finite(n, x.data)) {
            check_fail(check, "finite values refused, n %zu", n);
        }
        x.data[check_random(check, (uint32_t)n)] = bad[s % 3];
        if (check->other->all_finite(n, x.data)) {
            check_fail(check, "%g not seen, n %zu", (double)bad[s % 3], n);
        }
        buffer_free(&x);
    }
}

/* Kernels with two inputs and one or two outputs; an output may be an input. */
enum operation { ADD, ADD_SCALED, MIX_IN, SILU, SILU_BACKWARD, GELU, GELU_BACKWARD, ROPE };

static void apply(const struct simd_kernels *kernels, enum operation operation, size_t n, float a,
                  const struct buffer *x, const struct buffer *y, struct buffer *z,
                  struct buffer *w) {
    switch (operation) {
        case ADD:
            kernels->add(n, x->data, z->data);
            break;
        case ADD_SCALED:
            kernels->add_scaled(n, a, x->data, z->data);
            break;
        case MIX_IN:
            kernels->mix_in(n, a, x->data, z->data);
            break;
        case SILU:
            kernels->silu_multiply(n, x->data, y->data, z->data);
            break;
        case SILU_BACKWARD:
            kernels->silu_multiply_backward(n, x->data, y->data, z->data, z->data, w->data);
            break;
        case GELU:
            kernels->gelu_multiply(n, x->data, y->data, z->data);
            break;
        case GELU_BACKWARD:
            kernels->gelu_multiply_backward(n, x->data, y->data, z->data, z->data, w->data);
            break;
        case ROPE:
            kernels->rope_rotate(n, x->data, y->data, a < 0.0f ? -1.0f : 1.0f, z->data);
            break;
    }
}

static void check_operation(struct check *check, enum operation operation) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        if (operation == ROPE && n % 2 == 1) continue;
        for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
            struct buffer x = check_filled(check, kind, n), y = check_filled(check, kind, n);
            struct buffer z = check_filled(check, kind, n), w = buffer_make(n);
            struct buffer other_z = check_copy(&z), other_w = check_copy(&w);
            float a = (float)check_random(check, 200) * 0.017f - 1.7f;
            apply(check->scalar, operation, n, a, &x, &y, &z, &w);
            apply(check->other, operation, n, a, &x, &y, &other_z, &other_w);
            check_same(check, &z, &other_z, "first output", n, (size_t)kind, 0);
            check_same(check, &w, &other_w, "second output", n, (size_t)kind, 0);
            buffer_free(&x);
            buffer_free(&y);
            buffer_free(&z);
            buffer_free(&w);
            buffer_free(&other_z);
            buffer_free(&other_w);
        }
    }
}

/* Every number of 16 bits, and every size. */
void check_widen(struct check *check) {
    for (enum stored_type type = 0; type < STORED_TYPES; type++) {
        for (size_t s = 0; s < check_n_sizes; s++) {
            size_t n = check_size(check, s);
            struct numbers x = check_numbers(check, KIND_HARD, type, n);
            struct buffer y = buffer_make(n);
            check->other->widen(n, x.stored, y.data);
            check_same(check, &x.floats, &y, "some numbers", n, (size_t)type, 0);
            numbers_free(&x);
            buffer_free(&y);
        }
        if (type == STORED_F32) continue;
        static uint16_t all[0x10000];
        struct buffer y = buffer_make(0x10000), expected = buffer_make(0x10000);
        for (size_t i = 0; i < 0x10000; i++) {
            all[i] = (uint16_t)i;
            expected.data[i] = check_wide_of(type, all[i]);
        }
        check->other->widen(0x10000, (struct stored){all, type}, y.data);
        check_same(check, &expected, &y, "every number", 0x10000, (size_t)type, 0);
        buffer_free(&y);
        buffer_free(&expected);
    }
}

void check_add(struct check *check) {
    check_operation(check, ADD);
}

void check_add_scaled(struct check *check) {
    check_operation(check, ADD_SCALED);
}

/* A y that is -0 stays so beside a +0, whatever the sign of the factor. */
static void check_kept_zeros(struct check *check) {
    static const float factors[] = {1.0f, -1.0f, 0x1p-149f, -3.5f};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        struct buffer x = buffer_make(21), y = buffer_make(21);
        for (size_t j = 0; j < 21; j++) {
            x.data[j] = 0.0f;
            y.data[j] = j % 2 == 0 ? -0.0f : 0.0f;
        }
        struct buffer before = check_copy(&y);
        check->other->mix_in(21, factors[i], x.data, y.data);
        check_same(check, &before, &y, "y beside nothing", i, 0, 0);
        buffer_free(&x);
        buffer_free(&y);
        buffer_free(&before);
    }
}

void check_mix_in(struct check *check) {
    check_operation(check, MIX_IN);
    check_kept_zeros(check);
}

void check_silu_multiply(struct check *check) {
    check_operation(check, SILU);
}

void check_silu_multiply_backward(struct check *check) {
    check_operation(check, SILU_BACKWARD);
}

void check_gelu_multiply(struct check *check) {
    check_operation(check, GELU);
}

void check_gelu_multiply_backward(struct check *check) {
    check_operation(check, GELU_BACKWARD);
}

void check_rope_rotate(struct check *check) {
    check_operation(check, ROPE);
}

void check_sgd_update(struct check *check) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        struct buffer g = check_filled(check, KIND_HARD, n), p = check_filled(check, KIND_HARD, n);
        struct buffer other = check_copy(&p), plain = check_copy(&p);
        check->scalar->sgd_update(n, 0.3f, g.data, p.data);
        check->other->sgd_update(n, 0.3f, g.data, other.data);
        for (size_t i = 0; i < n; i++) plain.data[i] = fmaf(-0.3f, g.data[i], plain.data[i]);
        check_same(check, &plain, &p, "scalar against the formula", n, 0, 0);
        check_same(check, &p, &other, "parameters", n, 0, 0);
        buffer_free(&g);
        buffer_free(&p);
        buffer_free(&other);
        buffer_free(&plain);
    }
}

static float adamw_by_formula(const struct adamw_step *s, float gradient, float m, float v,
                              float p) {
    float g = gradient * s->gradient_scale;
    m = fmaf(s->beta1, m, s->one_minus_beta1 * g);
    float weighted = s->one_minus_beta2 * g;
    v = fmaf(s->beta2, v, weighted * g);
    float denominator = sqrtf(v) / s->root_correction + s->eps;
    return fmaf(-s->step_size, m / denominator, p * s->keep);
}

void check_adamw_update(struct check *check) {
    const struct adamw_step step = {0.7f,  0.9f,    0.95f, 1.0f - 0.9f, 1.0f - 0.95f,
                                    0.02f, 0.6245f, 1e-8f, 0.9998f};
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t n = check_size(check, s);
        enum kind kind = s % 2 == 0 ? KIND_NORMAL : KIND_HARD;
        struct buffer g = check_filled(check, kind, n), m = check_filled(check, kind, n);
        struct buffer v = check_filled(check, kind, n), p = check_filled(check, kind, n);
        for (size_t i = 0; i < n; i++) v.data[i] = fabsf(v.data[i]);
        struct buffer m2 = check_copy(&m), v2 = check_copy(&v), p2 = check_copy(&p);
        struct buffer plain = buffer_make(n);
        for (size_t i = 0; i < n; i++) {
            plain.data[i] = adamw_by_formula(&step, g.data[i], m.data[i], v.data[i], p.data[i]);
        }
        check->scalar->adamw_update(n, &step, g.data, m.data, v.data, p.data);
        check->other->adamw_update(n, &step, g.data, m2.data, v2.data, p2.data);
        check_same(check, &plain, &p, "scalar against the formula", n, 0, 0);
        check_same(check, &m, &m2, "first moment", n, 0, 0);
        check_same(check, &v, &v2, "second moment", n, 0, 0);
        check_same(check, &p, &p2, "parameters", n, 0, 0);
        struct buffer *all[] = {&g, &m, &v, &p, &m2, &v2, &p2, &plain};
        for (size_t i = 0; i < 8; i++) buffer_free(all[i]);
    }
}
