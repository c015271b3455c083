#include "experiment/finetuning.h"

#include <stdlib.h>

#include "base/path.h"
#include "base/random.h"
#include "experiment/trail.h"
#include "model/adapter.h"
#include "model/batch_builder.h"
#include "smf/sparse_step.h"
#include "train/step.h"

/* A finetuning under way: the parts that its method needs. */
struct finetuning {
    struct experiment *experiment;
    enum method method;
    float lr;
    struct workspace workspace;
    struct batch_builder builder;
    uint32_t *order; /* of a fact's wordings */
    struct optimizer optimizer;
    struct adapter_set adapters;
    struct sparse_stepper stepper;
    size_t lowest_layer;
    struct trail trail;
};

const char *method_name(enum method method) {
    static const char *const names[METHOD_COUNT] = {"full", "lora", "smf"};
    return names[method];
}

const struct recipe_method *method_recipe(const struct recipe *recipe, enum method method) {
    const struct recipe_finetune *finetune = &recipe->finetune;
    return method == METHOD_FULL   ? &finetune->full
           : method == METHOD_LORA ? &finetune->lora
                                   : &finetune->smf;
}

/* The most tokens that a batch of any fact can have. */
static size_t most_tokens(const struct experiment *experiment) {
    size_t longest = token_texts_longest(&experiment->fresh.texts);
    return experiment->recipe.finetune.paraphrases * (longest > 0 ? longest : 1);
}

static size_t most_wordings(const struct fact_tokens *facts) {
    size_t most = 1;
    for (size_t i = 0; i < facts->n; i++) {
        size_t n = facts->first_text[i + 1] - facts->first_text[i];
        if (n > most) most = n;
    }
    return most;
}

static mneme_status open_dense(struct finetuning *f, size_t max_tokens, mneme_error *error) {
    struct experiment *e = f->experiment;
    const struct recipe_finetune *r = &e->recipe.finetune;
    const struct recipe_pretrain *p = &e->recipe.pretrain;
    float decay = f->method == METHOD_FULL ? r->full_weight_decay : r->lora_weight_decay;
    struct adamw_settings settings = {.beta1 = p->beta1,
                                      .beta2 = p->beta2,
                                      .eps = p->eps,
                                      .weight_decay = decay,
                                      .values_weight_decay = decay,
                                      .clip = p->clip};
    struct parameter **list = NULL;
    size_t n = 0;
    mneme_status status;
    if (f->method == METHOD_FULL) {
        status = optimizer_list_model(&e->model, &list, &n, error);
    } else {
        f->lowest_layer = r->lora_first_layer;
        status = adapter_set_open(&f->adapters, &e->model, r->lora_rank, r->lora_alpha,
                                  r->lora_first_layer, r->lora_last_layer, max_tokens,
                                  e->recipe.seed, error);
        if (status == MNEME_OK) status = optimizer_list_adapters(&f->adapters, &list, &n, error);
    }
    if (status == MNEME_OK) status = optimizer_open(&f->optimizer, &settings, list, n, error);
    free(list);
    return status;
}

static mneme_status open_parts(struct finetuning *f, const struct background *background,
                               mneme_error *error) {
    struct experiment *e = f->experiment;
    size_t tokens = most_tokens(e);
    f->order = malloc(most_wordings(&e->fresh) * sizeof *f->order);
    if (f->order == NULL) return error_set_memory(error, "finetuning");
    mneme_status status = batch_builder_open(&f->builder, tokens, error);
    if (status == MNEME_OK) status = workspace_open(&f->workspace, &e->model, tokens, true, error);
    if (status != MNEME_OK) return status;
    if (f->method == METHOD_SMF) {
        return sparse_stepper_open(&f->stepper, &e->model, background, e->recipe.finetune.smf_t,
                                   f->lr, tokens, error);
    }
    return open_dense(f, tokens, error);
}

static void close_parts(struct finetuning *f) {
    trail_close(&f->trail);
    sparse_stepper_close(&f->stepper);
    optimizer_close(&f->optimizer);
    adapter_set_close(&f->adapters, &f->experiment->model);
    workspace_close(&f->workspace);
    batch_builder_close(&f->builder);
    free(f->order);
}

/* Batch number `step` of a fact: the next paraphrases in the fact's own endless order. */
static void fill_batch(struct finetuning *f, size_t fact, size_t step) {
    const struct experiment *e = f->experiment;
    size_t first = e->fresh.first_text[fact], n = e->fresh.first_text[fact + 1] - first;
    size_t paraphrases = e->recipe.finetune.paraphrases;
    if (step == 0) {
        random_permutation(e->recipe.seed, RANDOM_STREAM_PARAPHRASE, (uint64_t)fact << 32, n,
                           f->order);
    }
    batch_builder_clear(&f->builder);
    for (size_t i = 0; i < paraphrases; i++) {
        size_t text = f->order[(step * paraphrases + i) % n];
        batch_builder_add_text(&f->builder, &e->fresh.texts, first + text);
    }
}

/* One step on the batch in the builder; line gets its loss and norm. */
static mneme_status one_step(struct finetuning *f, struct trail_line *line, float *norm,
                             mneme_error *error) {
    struct experiment *e = f->experiment;
    struct batch batch = batch_builder_whole(&f->builder);
    mneme_status status;
    if (f->method == METHOD_SMF) {
        struct sparse_step_result result;
        status = sparse_step_run(&f->stepper, &e->model, &f->workspace, &batch, &result, error);
        line->loss = result.loss;
        return status;
    }
    struct step_result result;
    status = step_run(&e->model, &f->workspace, &f->optimizer, &batch, 1, f->lowest_layer, f->lr,
                      f->lr, &result, error);
    line->loss = result.loss;
    *norm = result.gradient_norm;
    line->gradient_norm = norm;
    return status;
}

/* All steps on one fact; *diverged when one of them failed, which leaves the parameters alone. */
static mneme_status teach_fact(struct finetuning *f, size_t fact, struct finetuning_result *result,
                               float *loss, mneme_error *error) {
    for (size_t step = 0; step < f->experiment->recipe.finetune.steps_per_fact; step++) {
        struct trail_line line = {.step = result->steps + 1, .lr = f->lr};
        mneme_error ignored;
        float norm;
        fill_batch(f, fact, step);
        if (one_step(f, &line, &norm, &ignored) != MNEME_OK) {
            result->diverged = true;
            return MNEME_OK;
        }
        result->steps++;
        line.tokens = f->builder.n_tokens;
        *loss = line.loss;
        mneme_status status = trail_add(&f->trail, &line, error);
        if (status != MNEME_OK) return status;
    }
    return MNEME_OK;
}

static mneme_status teach(struct finetuning *f, const char *stage, const char *folder,
                          struct finetuning_result *result, mneme_error *error) {
    const struct experiment *e = f->experiment;
    size_t tokens = 0;
    char *path = path_join(folder, "trail.jsonl");
    mneme_status status =
        path == NULL ? error_set_memory(error, "a path") : trail_open(&f->trail, path, 0, error);
    free(path);
    for (size_t fact = 0; status == MNEME_OK && fact < e->fresh.n; fact++) {
        float loss = 0.0f;
        status = teach_fact(f, fact, result, &loss, error);
        if (status != MNEME_OK || result->diverged) break;
        tokens += f->builder.n_tokens * e->recipe.finetune.steps_per_fact;
        result->n_facts++;
        experiment_progress(e, stage, "facts", fact + 1, e->fresh.n, tokens, &loss);
    }
    return status == MNEME_OK ? trail_flush(&f->trail, error) : status;
}

static size_t count_trainable(const struct finetuning *f) {
    if (f->method == METHOD_SMF) {
        return f->stepper.n_trainable * f->experiment->recipe.model.memory.v_dim;
    }
    size_t count = 0;
    for (size_t i = 0; i < f->optimizer.n_trained; i++) count += f->optimizer.trained[i]->count;
    return count;
}

mneme_status finetuning_run(struct experiment *experiment, enum method method, float lr,
                            const struct background *background, const char *stage,
                            const char *folder, struct finetuning_result *result,
                            mneme_error *error) {
    struct finetuning f = {.experiment = experiment, .method = method, .lr = lr};
    *result = (struct finetuning_result){0};
    experiment_restore_base(experiment);
    mneme_status status = open_parts(&f, background, error);
    if (status == MNEME_OK) {
        result->trainable_parameters = count_trainable(&f);
        status = teach(&f, stage, folder, result, error);
        if (status == MNEME_OK && method == METHOD_LORA) {
            status = adapter_merge(&experiment->model, error);
        }
    }
    close_parts(&f);
    return status;
}
