/* Cases of sparse memory finetuning. */

#include <string.h>

#include "model/batch_reads.h"
#include "model/pass.h"
#include "reference/reference_model.h"
#include "smf/background.h"
#include "smf/sparse_step.h"

static void count_background(struct reference_case *c, struct reference_model *m,
                             struct row_scatter *reads, struct background *background) {
    size_t batches = reference_size(c, "background_batches");
    for (size_t i = 0; c->status == MNEME_OK && i < batches; i++) {
        struct batch batch = reference_model_batch(c, m, "background.", i);
        if (c->status != MNEME_OK ||
            !reference_ok(c, model_forward(&m->pass, &batch, NULL, c->error))) {
            return;
        }
        batch_reads_sort(reads, &m->pass);
        background_add(background, batch_reads_slots(reads));
    }
    reference_select(c, background->n_slots, background->batches_reading, NULL, NULL, 0.0,
                     "reading");
}

/* What the steps find, [steps, …]. */
struct found {
    size_t steps, n_slots, t;
    float *losses;
    float *scores;   /* [n_slots]; 0 for slots that were not read */
    int32_t *chosen; /* [t] */
};

static void keep_step(const struct sparse_stepper *stepper, const struct sparse_step_result *result,
                      size_t step, struct found *found) {
    const struct slots_read read = batch_reads_slots(&stepper->reads);
    found->losses[step] = result->loss;
    for (size_t i = 0; i < result->n_read; i++) {
        size_t slot = (size_t)read.slots[stepper->ranked[i].group];
        found->scores[step * found->n_slots + slot] = stepper->ranked[i].score;
    }
    for (size_t i = 0; i < found->t; i++) {
        found->chosen[step * found->t + i] = i < result->n_chosen ? stepper->slots[i] : -1;
    }
}

static void compare_found(struct reference_case *c, const struct found *found) {
    size_t all = found->steps * found->n_slots, n = found->steps * found->t;
    double *ours = reference_room(c, n, sizeof *ours), *theirs = reference_room(c, n, sizeof *ours);
    const double *exact = reference_exact(c, all, "scores");
    const int32_t *choice = reference_choice(c, n, "chosen");
    if (c->status != MNEME_OK) return;
    for (size_t i = 0; i < n; i++) {
        const double *scores = exact + i / found->t * found->n_slots;
        ours[i] = found->chosen[i] < 0 ? -1.0 : scores[found->chosen[i]];
        theirs[i] = scores[choice[i]];
    }
    double tolerance = reference_largest_error(c, all, found->scores, "scores");
    reference_compare(c, found->steps, found->losses, "losses");
    reference_compare(c, all, found->scores, "scores");
    reference_select(c, n, found->chosen, ours, theirs, tolerance, "chosen");
}

static void take_steps(struct reference_case *c, struct reference_model *m,
                       struct sparse_stepper *stepper, struct found *found) {
    for (size_t s = 0; c->status == MNEME_OK && s < found->steps; s++) {
        struct batch batch = reference_model_batch(c, m, "", s);
        struct sparse_step_result result = {0};
        if (c->status != MNEME_OK || !reference_ok(c, sparse_step_run(stepper, &m->pass, &batch,
                                                                      false, &result, c->error))) {
            return;
        }
        keep_step(stepper, &result, s, found);
    }
}

void run_smf(struct reference_case *c) {
    struct reference_model m;
    struct background background = {0};
    struct row_scatter reads = {0};
    struct sparse_stepper stepper = {0};
    size_t tokens = reference_batch_tokens(c);
    reference_model_open(c, &m, tokens);
    struct found found = {.steps = reference_size(c, "steps"), .t = reference_size(c, "t")};
    struct sparse_settings settings = {.n_trainable = found.t, .lr = reference_float(c, "lr")};
    if (c->status == MNEME_OK) found.n_slots = m.model.n_tables * model_n_slots(&m.model.config);
    found.losses = reference_room(c, found.steps, sizeof *found.losses);
    found.scores = reference_room(c, found.steps * found.n_slots, sizeof *found.scores);
    found.chosen = reference_room(c, found.steps * found.t, sizeof *found.chosen);
    if (c->status == MNEME_OK &&
        reference_ok(c, background_open(&background, found.n_slots, c->error)) &&
        reference_ok(c, batch_reads_open(&reads, &m.model, tokens, c->error))) {
        count_background(c, &m, &reads, &background);
    }
    if (c->status == MNEME_OK &&
        reference_ok(
            c, sparse_stepper_open(&stepper, &m.model, &background, &settings, tokens, c->error))) {
        take_steps(c, &m, &stepper, &found);
        compare_found(c, &found);
    }
    for (size_t i = 0; c->status == MNEME_OK && i < m.model.n_parameters; i++) {
        const struct parameter *p = &m.model.parameters[i];
        if (p->kind == PARAMETER_COMMON) continue;
        reference_compare(c, p->count, p->data, "after.%s", p->name);
    }
    sparse_stepper_close(&stepper);
    row_scatter_close(&reads);
    background_close(&background);
    reference_model_close(&m);
}
