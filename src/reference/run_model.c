/* Cases of memory layers and of whole models. */

#include <string.h>

#include "model/memory_layer.h"
#include "model/pass.h"
#include "reference/reference_model.h"
#include "simd/simd.h"

/* Only gradients are asked of the optimizer. */
static const struct adamw_settings no_settings = {0};

static void memory_backward(struct reference_case *c, struct reference_model *m, size_t n) {
    const struct model_config *config = &m->model.config;
    size_t n_layers = config->n_layers, size = n * config->dim, all = n_layers * size;
    const float *d_out = reference_gradient(c, &all, "d_out");
    float *dx = reference_room(c, all, sizeof *dx);
    reference_model_train(c, m, &no_settings, NULL, 0);
    if (c->status != MNEME_OK) return;
    for (size_t l = 0; l < n_layers; l++) {
        memcpy(m->pass.scratch.d_stream, d_out + l * size, size * sizeof *d_out);
        memory_layer_backward(&m->pass, &m->optimizer.gradients, l, n, BACKWARD_WHOLE);
        memcpy(dx + l * size, m->pass.scratch.d_normed, size * sizeof *dx);
    }
    m->pass.stage = PASS_BACKWARD;
    m->pass.n_tokens = n;
    memory_values_gradients(&m->pass, &m->optimizer.gradients);
    model_finish_gradients(&m->pass, &m->optimizer.gradients);
    reference_compare(c, all, dx, "d.x");
    reference_compare_gradients(c, &m->optimizer);
}

void run_memory_layer(struct reference_case *c) {
    struct reference_model m;
    size_t all = 0;
    const float *x = reference_floats(c, &all, "x");
    reference_model_open(c, &m, all);
    const struct model_config *config = &m.model.config;
    size_t n = c->status == MNEME_OK ? all / config->n_layers / config->dim : 0;
    size_t size = n * config->dim;
    float *out = reference_room(c, size, sizeof *out);
    for (size_t l = 0; c->status == MNEME_OK && l < config->n_layers; l++) {
        memcpy(m.pass.activations.layers[l].ffn_normed, x + l * size, size * sizeof *x);
        if (!memory_layer_lookup(&m.pass, l, n)) {
            reference_ok(c, error_set(c->error, MNEME_FAILED, "%s: case `%s`: a score is NaN",
                                      c->path, c->name));
            break; /* there are no slots to read */
        }
        memory_layer_read(&m.pass, l, n, out);
        reference_compare_lookup(c, &m, l, n);
        reference_compare(c, size, out, "out.%zu", l);
    }
    memory_backward(c, &m, n);
    reference_model_close(&m);
}

/* The token with the highest logit. */
static void compare_best(struct reference_case *c, size_t n, size_t classes, const float *logits) {
    int32_t *ours = reference_room(c, n, sizeof *ours);
    double *our_scores = reference_room(c, n, sizeof *our_scores);
    double *exact_scores = reference_room(c, n, sizeof *exact_scores);
    if (!reference_has_output(c, "best")) return;
    const int32_t *choice = reference_choice(c, n, "best");
    const double *exact = reference_exact(c, n * classes, "logits");
    if (c->status != MNEME_OK) return;
    const struct simd_kernels *kernels = simd();
    for (size_t i = 0; i < n; i++) {
        float score;
        kernels->topk_row(classes, logits + i * classes, 1, &score, &ours[i]);
        our_scores[i] = exact[i * classes + (size_t)ours[i]];
        exact_scores[i] = exact[i * classes + (size_t)choice[i]];
    }
    double tolerance = reference_largest_error(c, n * classes, logits, "logits");
    reference_select(c, n, ours, our_scores, exact_scores, tolerance, "best");
}

void run_model(struct reference_case *c) {
    struct reference_model m;
    reference_model_open(c, &m, reference_batch_tokens(c));
    struct batch batch = reference_model_batch(c, &m, "", 0);
    reference_model_train(c, &m, &no_settings, NULL, 0);
    const struct model_config *config = &m.model.config;
    const struct activations *a = &m.pass.activations;
    size_t n = batch.n_tokens, classes = config->vocab_size;
    if (c->status == MNEME_OK && reference_ok(c, model_forward(&m.pass, &batch, NULL, c->error))) {
        for (size_t i = 0; i < config->memory.n_layers; i++) {
            reference_compare_lookup(c, &m, config->memory.layers[i], n);
        }
        model_logits(&m.pass, n, a->output_normed, a->logits);
        reference_compare(c, n * classes, a->logits, "logits");
        compare_best(c, n, classes, a->logits);
        model_loss(&m.pass, &batch, 1.0f / (float)batch_count_targets(&batch),
                   &m.optimizer.gradients);
        reference_compare(c, n, a->losses, "losses");
        model_backward(&m.pass, &batch, &m.optimizer.gradients, (struct backward_extent){0});
        model_finish_gradients(&m.pass, &m.optimizer.gradients);
        reference_compare_gradients(c, &m.optimizer);
    }
    reference_model_close(&m);
}

void run_logits(struct reference_case *c) {
    struct reference_model m;
    reference_model_load(c, &m, reference_batch_tokens(c));
    const struct batch batch = reference_model_batch(c, &m, "", 0);
    const size_t classes = m.model.config.vocab_size;
    float *logits = m.pass.activations.logits;
    if (c->status == MNEME_OK && reference_ok(c, model_forward(&m.pass, &batch, NULL, c->error))) {
        model_logits(&m.pass, batch.n_tokens, m.pass.activations.output_normed, logits);
        reference_compare(c, batch.n_tokens * classes, logits, "logits");
        compare_best(c, batch.n_tokens, classes, logits);
    }
    reference_model_close(&m);
}
