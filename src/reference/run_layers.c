/* Cases of single layers, on plain arrays. */

#include <string.h>

#include "nn/attention.h"
#include "nn/cross_entropy.h"
#include "nn/elementwise.h"
#include "nn/linear.h"
#include "nn/rms_norm.h"
#include "nn/rope.h"
#include "reference/reference_case.h"

static float *copy_of(struct reference_case *c, size_t n, const float *from) {
    float *copy = reference_room(c, n, sizeof *copy);
    if (copy != NULL && from != NULL) memcpy(copy, from, n * sizeof *copy);
    return copy;
}

void run_rms_norm(struct reference_case *c) {
    size_t dim = 0, size = 0;
    const float *gain = reference_floats(c, &dim, "gain"), *x = reference_floats(c, &size, "x");
    const float *dy = reference_gradient(c, &size, "dy");
    float eps = reference_float(c, "eps");
    float *y = reference_room(c, size, sizeof *y), *dx = reference_room(c, size, sizeof *dx);
    float *r = reference_room(c, size, sizeof *r), *dgain = reference_room(c, dim, sizeof *dgain);
    if (c->status != MNEME_OK || dim == 0) return;
    rms_norm_forward(size / dim, dim, x, gain, eps, y, r);
    rms_norm_backward(size / dim, dim, x, gain, r, dy, dx, dgain);
    reference_compare(c, size, y, "y");
    reference_compare(c, size, dx, "d.x");
    reference_compare(c, dim, dgain, "d.gain");
}

void run_rope(struct reference_case *c) {
    size_t n = 0, size = 0, highest = 0;
    const int32_t *positions = reference_integers(c, &n, "positions");
    const float *x = reference_floats(c, &size, "x"), *dy = reference_gradient(c, &size, "dy");
    const struct rope rope = {.theta = reference_float(c, "theta")};
    size_t heads = reference_size(c, "heads");
    if (c->status != MNEME_OK || n == 0 || heads == 0) return;
    size_t head_dim = size / n / heads;
    for (size_t i = 0; i < n; i++) {
        if ((size_t)positions[i] > highest) highest = (size_t)positions[i];
    }
    float *cosine = reference_room(c, (highest + 1) * head_dim, sizeof *cosine);
    float *sine = reference_room(c, (highest + 1) * head_dim, sizeof *sine);
    float *dx = copy_of(c, size, dy), *y = copy_of(c, size, x);
    if (c->status != MNEME_OK) return;
    rope_table(highest + 1, head_dim, &rope, cosine, sine);
    rope_apply(n, heads, head_dim, positions, cosine, sine, 1.0f, y);
    rope_apply(n, heads, head_dim, positions, cosine, sine, -1.0f, dx);
    reference_compare(c, size, y, "y");
    reference_compare(c, size, dx, "d.x");
}

/* Arrays of a feed-forward layer, n tokens. */
struct swiglu {
    size_t n, dim, hidden;
    const float *x, *w1, *w3, *w2, *dy;
    float *gate, *up, *wide, *y, *d_wide, *d_gate, *d_up, *dx, *dw1, *dw3, *dw2;
};

static void compute_swiglu(struct matmul_scratch *m, const struct swiglu *s) {
    size_t n = s->n, dim = s->dim, hidden = s->hidden;
    linear_forward(m, n, dim, hidden, s->x, stored_f32(s->w1), NULL, NULL, s->gate);
    linear_forward(m, n, dim, hidden, s->x, stored_f32(s->w3), NULL, NULL, s->up);
    elementwise_silu_multiply(n * hidden, s->gate, s->up, s->wide);
    linear_forward(m, n, hidden, dim, s->wide, stored_f32(s->w2), NULL, NULL, s->y);
    linear_backward_weight(m, n, hidden, dim, s->wide, s->dy, s->dw2);
    linear_backward_input(m, n, hidden, dim, s->dy, stored_f32(s->w2), NULL, s->d_wide, false);
    elementwise_silu_multiply_backward(n * hidden, s->gate, s->up, s->d_wide, s->d_gate, s->d_up);
    linear_backward_weight(m, n, dim, hidden, s->x, s->d_gate, s->dw1);
    linear_backward_weight(m, n, dim, hidden, s->x, s->d_up, s->dw3);
    linear_backward_input(m, n, dim, hidden, s->d_gate, stored_f32(s->w1), NULL, s->dx, false);
    linear_backward_input(m, n, dim, hidden, s->d_up, stored_f32(s->w3), NULL, s->dx, true);
}

void run_swiglu(struct reference_case *c) {
    size_t tokens = 0, weights = 0;
    struct swiglu s = {.dim = reference_size(c, "dim")};
    s.x = reference_floats(c, &tokens, "x");
    s.dy = reference_gradient(c, &tokens, "dy");
    s.w1 = reference_floats(c, &weights, "w1");
    s.w3 = reference_floats(c, &weights, "w3");
    s.w2 = reference_floats(c, &weights, "w2");
    if (c->status != MNEME_OK || s.dim == 0) return;
    s.n = tokens / s.dim;
    s.hidden = weights / s.dim;
    float **wide[] = {&s.gate, &s.up, &s.wide, &s.d_wide, &s.d_gate, &s.d_up};
    float **of_tokens[] = {&s.y, &s.dx}, **of_weights[] = {&s.dw1, &s.dw3, &s.dw2};
    for (size_t i = 0; i < 6; i++) *wide[i] = reference_room(c, s.n * s.hidden, sizeof(float));
    for (size_t i = 0; i < 2; i++) *of_tokens[i] = reference_room(c, tokens, sizeof(float));
    for (size_t i = 0; i < 3; i++) *of_weights[i] = reference_room(c, weights, sizeof(float));
    struct matmul_scratch scratch = {0};
    if (reference_ok(c, matmul_scratch_open(&scratch, c->error))) compute_swiglu(&scratch, &s);
    matmul_scratch_close(&scratch);
    reference_compare(c, tokens, s.y, "y");
    reference_compare(c, tokens, s.dx, "d.x");
    reference_compare(c, weights, s.dw1, "d.w1");
    reference_compare(c, weights, s.dw3, "d.w3");
    reference_compare(c, weights, s.dw2, "d.w2");
}

void run_cross_entropy(struct reference_case *c) {
    size_t n = 0, size = 0, counted = 0;
    const int32_t *targets = reference_integers(c, &n, "targets");
    const float *logits = reference_floats(c, &size, "logits");
    float *gradients = copy_of(c, size, logits), *losses = reference_room(c, n, sizeof *losses);
    if (c->status != MNEME_OK || n == 0) return;
    for (size_t i = 0; i < n; i++) counted += targets[i] != CROSS_ENTROPY_IGNORE;
    cross_entropy(n, size / n, gradients, targets, 1.0f / (float)counted, losses);
    reference_compare(c, n, losses, "losses");
    reference_compare(c, size, gradients, "d.logits");
}

void run_attention(struct reference_case *c) {
    size_t n_starts = 0, of_q = 0, of_k = 0;
    const int32_t *places = reference_starts(c, &n_starts);
    const float *q = reference_floats(c, &of_q, "q"), *k = reference_floats(c, &of_k, "k");
    const float *v = reference_floats(c, &of_k, "v"),
                *d_out = reference_gradient(c, &of_q, "d_out");
    struct attention_shape shape = {.heads = reference_size(c, "heads"),
                                    .kv_heads = reference_size(c, "kv_heads"),
                                    .head_dim = reference_size(c, "head_dim")};
    size_t n = places == NULL ? 0 : (size_t)places[n_starts - 1];
    if (c->status == MNEME_OK &&
        (of_q != n * shape.heads * shape.head_dim || of_k != n * shape.kv_heads * shape.head_dim)) {
        reference_ok(c, error_set(c->error, MNEME_BAD_INPUT,
                                  "%s: case `%s`: q, k or v is not [%zu, heads, head_dim]", c->path,
                                  c->name, n));
    }
    size_t *starts = reference_room(c, n_starts, sizeof *starts);
    float *out = reference_room(c, of_q, sizeof *out), *dq = reference_room(c, of_q, sizeof *dq);
    float *dk = reference_room(c, of_k, sizeof *dk), *dv = reference_room(c, of_k, sizeof *dv);
    if (c->status != MNEME_OK || places == NULL) return;
    for (size_t i = 0; i < n_starts; i++) starts[i] = (size_t)places[i];
    shape.max_positions = starts[n_starts - 1];
    struct attention_scratch scratch = {0};
    if (reference_ok(c, attention_scratch_open(&scratch, &shape, c->error))) {
        attention_forward(&scratch, &shape, n_starts - 1, starts, q, k, v, out);
        attention_backward(&scratch, &shape, n_starts - 1, starts, q, k, v, d_out, dq, dk, dv);
    }
    attention_scratch_close(&scratch);
    reference_compare(c, of_q, out, "out");
    reference_compare(c, of_q, dq, "d.q");
    reference_compare(c, of_k, dk, "d.k");
    reference_compare(c, of_k, dv, "d.v");
}
