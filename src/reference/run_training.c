/* Cases of training. */

#include <stdint.h>
#include <string.h>

#include "model/adapter.h"
#include "model/pass.h"
#include "reference/reference_model.h"
#include "train/step.h"

void run_schedule(struct reference_case *c) {
    struct schedule schedule = reference_schedule(c);
    float *factors = reference_room(c, schedule.steps, sizeof *factors);
    if (c->status != MNEME_OK) return;
    for (size_t i = 0; i < schedule.steps; i++) factors[i] = schedule_factor(&schedule, i);
    reference_compare(c, schedule.steps, factors, "factors");
}

/* A parameter outside any model, with the input of that name. */
static struct parameter lone_parameter(struct reference_case *c, const char *name, size_t index,
                                       enum parameter_kind kind) {
    struct parameter p = {.index = index, .kind = kind};
    const float *data = reference_floats(c, &p.count, "%s", name);
    p.data = reference_room(c, p.count, sizeof *p.data);
    if (c->status == MNEME_OK) memcpy(p.data, data, p.count * sizeof *data);
    return p;
}

static void compare_lone(struct reference_case *c, const struct parameter *p,
                         const struct moments *moments, const char *name) {
    reference_compare(c, p->count, p->data, "%s", name);
    reference_compare(c, p->count, moments->first, "moment1.%s", name);
    reference_compare(c, p->count, moments->second, "moment2.%s", name);
}

void run_adamw(struct reference_case *c) {
    struct adamw_settings settings = reference_adamw(c);
    struct parameter weight = lone_parameter(c, "weight", 0, PARAMETER_COMMON);
    struct parameter values = lone_parameter(c, "table.values", 1, PARAMETER_VALUES);
    struct parameter *list[] = {&weight, &values};
    size_t steps = reference_size(c, "steps");
    size_t of_weight = steps * weight.count, of_values = steps * values.count;
    const float *g_weight = reference_floats(c, &of_weight, "g.weight");
    const float *g_values = reference_floats(c, &of_values, "g.values");
    float lr = reference_float(c, "lr"), values_lr = reference_float(c, "values_lr");
    float *norms = reference_room(c, steps, sizeof *norms);
    struct optimizer optimizer = {0};
    if (c->status != MNEME_OK ||
        !reference_ok(c, optimizer_open(&optimizer, &settings, list, 2, c->error))) {
        return;
    }
    for (size_t s = 0; s < steps; s++) {
        memcpy(gradient_of(&optimizer.gradients, &weight), g_weight + s * weight.count,
               weight.count * sizeof(float));
        memcpy(gradient_of(&optimizer.gradients, &values), g_values + s * values.count,
               values.count * sizeof(float));
        struct gradient_norms both = optimizer_gradient_norms(&optimizer);
        optimizer_step(&optimizer, lr, values_lr, both);
        norms[s] = both.common;
    }
    reference_compare(c, steps, norms, "norms");
    compare_lone(c, &weight, &optimizer.moments[0], "weight");
    compare_lone(c, &values, &optimizer.moments[1], "values");
    optimizer_close(&optimizer);
}

/* What a step's memory layers looked up, layer by layer; NULL: nobody asks. */
static int32_t *keep_slots(const struct reference_model *m, const struct batch *batch,
                           int32_t *slots) {
    const struct memory_config *memory = &m->model.config.memory;
    const size_t n = batch->n_tokens * memory->heads * memory->knn;
    for (size_t i = 0; slots != NULL && i < memory->n_layers; i++, slots += n) {
        memcpy(slots, m->pass.activations.layers[memory->layers[i]].slots, n * sizeof *slots);
    }
    return slots;
}

/* All steps of the case, and what is left of them. */
static void train(struct reference_case *c, struct reference_model *m) {
    struct schedule schedule = reference_schedule(c);
    const struct memory_config *memory = &m->model.config.memory;
    const size_t n_slots =
        schedule.steps * reference_batch_tokens(c) * memory->heads * memory->knn * memory->n_layers;
    int32_t *slots =
        reference_has_output(c, "slots") ? reference_room(c, n_slots, sizeof *slots) : NULL;
    int32_t *next = slots;
    float lr = reference_float(c, "lr"), values_lr = reference_float(c, "values_lr");
    float *losses = reference_room(c, schedule.steps, sizeof *losses);
    float *norms = reference_room(c, schedule.steps, sizeof *norms);
    for (size_t s = 0; c->status == MNEME_OK && s < schedule.steps; s++) {
        struct batch batch = reference_model_batch(c, m, "", s);
        struct step_result result = {0};
        float factor = schedule_factor(&schedule, s);
        if (c->status != MNEME_OK) return;
        reference_ok(c, step_run(&m->pass, &m->optimizer, &batch, 1, (struct backward_extent){0},
                                 lr * factor, values_lr * factor, NULL, &result, c->error));
        losses[s] = result.loss;
        norms[s] = result.gradient_norm;
        next = keep_slots(m, &batch, next);
    }
    if (slots != NULL) reference_select(c, n_slots, slots, NULL, NULL, 0.0, "slots");
    reference_compare(c, schedule.steps, losses, "losses");
    reference_compare(c, schedule.steps, norms, "norms");
    for (size_t i = 0; i < m->optimizer.n_trained; i++) {
        const struct parameter *p = m->optimizer.trained[i];
        reference_compare(c, p->count, p->data, "after.%s", p->name);
    }
}

void run_training(struct reference_case *c) {
    struct reference_model m;
    struct adamw_settings settings = reference_adamw(c);
    reference_model_open(c, &m, reference_batch_tokens(c));
    reference_model_train(c, &m, &settings, NULL, 0);
    train(c, &m);
    reference_model_close(&m);
}

/* The adapters as the file has them, and a list of their parameters. */
static struct parameter **load_adapters(struct reference_case *c, struct adapter_set *set) {
    struct parameter **list = reference_room(c, 2 * set->n_adapters, sizeof(struct parameter *));
    for (size_t i = 0; c->status == MNEME_OK && i < 2 * set->n_adapters; i++) {
        list[i] = i % 2 == 0 ? &set->adapters[i / 2].a : &set->adapters[i / 2].b;
        size_t count = list[i]->count;
        const float *data = reference_floats(c, &count, "%s", list[i]->name);
        if (data != NULL) memcpy(list[i]->data, data, count * sizeof *data);
    }
    return list;
}

/* Logits and the adapters' gradients before the first step. */
static void compare_first_pass(struct reference_case *c, struct reference_model *m) {
    struct pass *pass = &m->pass;
    const struct activations *a = &pass->activations;
    struct batch batch = reference_model_batch(c, m, "", 0);
    if (c->status != MNEME_OK || !reference_ok(c, model_forward(pass, &batch, NULL, c->error))) {
        return;
    }
    model_logits(pass, batch.n_tokens, a->output_normed, a->logits);
    reference_compare(c, batch.n_tokens * m->model.config.vocab_size, a->logits, "logits");
    model_loss(pass, &batch, 1.0f / (float)batch_count_targets(&batch), &m->optimizer.gradients);
    model_backward(pass, &batch, &m->optimizer.gradients, (struct backward_extent){0});
    model_finish_gradients(pass, &m->optimizer.gradients);
    reference_compare_gradients(c, &m->optimizer);
}

static void compare_merged(struct reference_case *c, struct adapter_set *set) {
    if (c->status != MNEME_OK || !reference_ok(c, adapter_set_merge(set, c->error))) return;
    for (size_t i = 0; i < set->n_adapters; i++) {
        const struct parameter *p = set->adapters[i].weight;
        reference_compare(c, p->count, p->data, "merged.%s", p->name);
    }
}

void run_lora(struct reference_case *c) {
    struct reference_model m;
    struct adapter_set set = {0};
    struct adamw_settings settings = reference_adamw(c);
    size_t rank = reference_size(c, "rank"), tokens = reference_batch_tokens(c);
    float alpha = reference_float(c, "alpha");
    reference_model_open(c, &m, tokens);
    if (c->status == MNEME_OK && reference_ok(c, adapter_set_open(&set, &m.model, rank, alpha, 0,
                                                                  SIZE_MAX, tokens, 1, c->error))) {
        m.pass.adapters = &set;
        reference_model_train(c, &m, &settings, load_adapters(c, &set), 2 * set.n_adapters);
        compare_first_pass(c, &m);
        train(c, &m);
        compare_merged(c, &set);
    }
    adapter_set_close(&set);
    reference_model_close(&m);
}
