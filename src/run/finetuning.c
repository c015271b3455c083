#include "run/finetuning.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/random.h"
#include "model/parameter_digest.h"
#include "run/stream.h"
#include "train/step.h"

/* A workspace grows with its tokens; so many times a batch is not worth it. */
#define MOST_BATCHES_OF_INPUTS 4

/* The most tokens that a batch of any fact can have. */
static size_t most_tokens(const struct experiment *experiment) {
    size_t longest = token_texts_longest(&experiment->lessons.texts);
    return experiment->recipe.finetune.paraphrases * (longest > 0 ? longest : 1);
}

static size_t most_wordings(const struct lesson_tokens *lessons) {
    size_t most = 1;
    for (size_t i = 0; i < lessons->n; i++) {
        size_t n = lessons->first_text[i + 1] - lessons->first_text[i];
        if (n > most) most = n;
    }
    return most;
}

/* The most tokens that all wordings of a lesson together have. */
static size_t most_lesson_tokens(const struct lesson_tokens *lessons) {
    size_t most = 1;
    for (size_t i = 0; i < lessons->n; i++) {
        size_t tokens = 0;
        for (size_t t = lessons->first_text[i]; t < lessons->first_text[i + 1]; t++) {
            tokens += lessons->texts.lengths[t];
        }
        if (tokens > most) most = tokens;
    }
    return most;
}

/* Below it nothing is trained, and no gradient is needed. */
static size_t lowest_layer(const struct finetuning *f) {
    switch (f->method) {
        case METHOD_SMF:
            return f->experiment->model.config.memory.layers[0];
        case METHOD_LORA:
            return f->experiment->recipe.finetune.lora.first_layer;
        default:
            return f->experiment->recipe.finetune.full.memory_only
                       ? f->experiment->model.config.memory.layers[0]
                       : 0;
    }
}

static mneme_status open_dense(struct finetuning *f, size_t max_tokens, mneme_error *error) {
    struct experiment *e = f->experiment;
    const struct recipe_finetune *r = &e->recipe.finetune;
    const struct recipe_pretrain *p = &e->recipe.pretrain;
    float decay = f->method == METHOD_FULL ? r->full.weight_decay : r->lora.weight_decay;
    struct adamw_settings settings = {.beta1 = p->beta1,
                                      .beta2 = p->beta2,
                                      .eps = p->eps,
                                      .weight_decay = decay,
                                      .values_weight_decay = decay,
                                      .clip = p->clip};
    struct parameter **list = NULL;
    size_t n = 0;
    mneme_status status;
    f->lowest_layer = lowest_layer(f);
    if (f->method == METHOD_FULL) {
        status = r->full.memory_only ? optimizer_list_memory(&e->model, &list, &n, error)
                                     : optimizer_list_model(&e->model, &list, &n, error);
    } else {
        status = adapter_set_open(&f->adapters, &e->model, r->lora.rank, r->lora.alpha,
                                  r->lora.first_layer, r->lora.last_layer, max_tokens,
                                  e->recipe.seed, error);
        if (status == MNEME_OK) status = optimizer_list_adapters(&f->adapters, &list, &n, error);
    }
    if (status == MNEME_OK) status = optimizer_open(&f->optimizer, &settings, list, n, error);
    free(list);
    return status;
}

static mneme_status open_sparse(struct finetuning *f, const struct background *background,
                                size_t max_tokens, mneme_error *error) {
    const struct recipe *r = &f->experiment->recipe;
    const struct sparse_settings settings = {
        .n_trainable = r->finetune.smf.t,
        .selection = r->finetune.smf.select,
        .seed = r->seed,
        .optimizer = r->finetune.smf.optimizer,
        .adamw = {.beta1 = r->pretrain.beta1, .beta2 = r->pretrain.beta2, .eps = r->pretrain.eps},
        .lr = f->lr,
        .keys_lr = r->finetune.smf.keys_lr};
    return sparse_stepper_open(&f->stepper, &f->experiment->model, background, &settings,
                               max_tokens, error);
}

/* The steps on a lesson share what is below the memory layer, when they would do it for more texts
 * than the lesson has, and these are not many times a batch. *max_tokens will hold them all. */
static mneme_status open_inputs(struct finetuning *f, size_t *max_tokens, mneme_error *error) {
    const struct experiment *e = f->experiment;
    const struct recipe_finetune *r = &e->recipe.finetune;
    size_t wordings = most_wordings(&e->lessons), tokens = most_lesson_tokens(&e->lessons);
    f->inputs_lesson = SIZE_MAX;
    f->keeps_inputs = f->method == METHOD_SMF && !(r->smf.keys_lr > 0.0f) &&
                      wordings < r->steps_per_fact * r->paraphrases &&
                      tokens <= MOST_BATCHES_OF_INPUTS * *max_tokens;
    if (!f->keeps_inputs) return MNEME_OK;
    if (tokens > *max_tokens) *max_tokens = tokens;
    return memory_inputs_open(&f->inputs, &e->model, wordings, tokens, error);
}

mneme_status finetuning_open(struct finetuning *f, struct experiment *e, const struct stage *stage,
                             const struct background *background, mneme_error *error) {
    size_t tokens = most_tokens(e);
    *f = (struct finetuning){.experiment = e, .method = stage->method, .lr = stage->lr};
    experiment_restore_base(e);
    f->order = malloc(most_wordings(&e->lessons) * sizeof *f->order);
    f->texts = malloc(e->recipe.finetune.paraphrases * sizeof *f->texts);
    if (f->order == NULL || f->texts == NULL) return error_set_memory(error, "finetuning");
    mneme_status status = open_inputs(f, &tokens, error);
    if (status == MNEME_OK) status = batch_builder_open(&f->builder, tokens, error);
    if (status == MNEME_OK) status = workspace_open(&f->workspace, &e->model, tokens, true, error);
    const bool keys_learn = f->method == METHOD_SMF && e->recipe.finetune.smf.keys_lr > 0.0f;
    if (status == MNEME_OK && f->method != METHOD_FULL && !keys_learn) {
        status = workspace_pack(&f->workspace, &e->model, lowest_layer(f), error);
    }
    if (status != MNEME_OK) return status;
    return f->method == METHOD_SMF ? open_sparse(f, background, tokens, error)
                                   : open_dense(f, tokens, error);
}

void finetuning_close(struct finetuning *f) {
    if (f->experiment == NULL) return;
    sparse_stepper_close(&f->stepper);
    optimizer_close(&f->optimizer);
    adapter_set_close(&f->adapters, &f->experiment->model);
    workspace_close(&f->workspace);
    batch_builder_close(&f->builder);
    memory_inputs_close(&f->inputs);
    free(f->texts);
    free(f->order);
    *f = (struct finetuning){0};
}

size_t finetuning_n_steps(const struct finetuning *f) {
    return f->experiment->lessons.n * f->experiment->recipe.finetune.steps_per_fact;
}

/* Batch number `step` of a lesson: the next paraphrases in the lesson's own endless order. */
static void fill_batch(struct finetuning *f, size_t number, size_t step) {
    const struct experiment *e = f->experiment;
    const struct lesson_tokens *lessons = &e->lessons;
    size_t first = lessons->first_text[number], n = lessons->first_text[number + 1] - first;
    size_t paraphrases = e->recipe.finetune.paraphrases;
    random_permutation(e->recipe.seed, RANDOM_STREAM_PARAPHRASE, (uint64_t)number << 32, n,
                       f->order);
    batch_builder_clear(&f->builder);
    for (size_t i = 0; i < paraphrases; i++) {
        f->texts[i] = f->order[(step * paraphrases + i) % n];
        batch_builder_add_text(&f->builder, &lessons->texts, first + f->texts[i]);
    }
}

/* Whether the step's pass can begin at the memory layer; all of the pass is there to be recorded
 * otherwise. */
static bool begins_at_memory(const struct finetuning *f) {
    return f->keeps_inputs && f->workspace.recorder == NULL;
}

/* Makes the lesson's inputs of the memory layer, once. */
static mneme_status make_inputs(struct finetuning *f, size_t number, mneme_error *error) {
    const struct lesson_tokens *lessons = &f->experiment->lessons;
    if (!begins_at_memory(f) || f->inputs_lesson == number) return MNEME_OK;
    batch_builder_clear(&f->builder);
    for (size_t t = lessons->first_text[number]; t < lessons->first_text[number + 1]; t++) {
        batch_builder_add_text(&f->builder, &lessons->texts, t);
    }
    struct batch batch = batch_builder_whole(&f->builder);
    f->inputs_lesson = number;
    return memory_inputs_make(&f->inputs, &f->experiment->model, &f->workspace, &batch, error);
}

/* One step on the batch in the builder; the line gets its loss and norm. */
static mneme_status learn(struct finetuning *f, struct trail_line *line, mneme_error *error) {
    struct experiment *e = f->experiment;
    struct batch batch = batch_builder_whole(&f->builder);
    mneme_status status;
    if (f->method == METHOD_SMF) {
        struct sparse_step_result result = {0};
        const bool from_memory = begins_at_memory(f);
        if (from_memory) {
            memory_inputs_place(&f->inputs, &e->model, &f->workspace, batch.n_sequences, f->texts);
        }
        status = sparse_step_run(&f->stepper, &e->model, &f->workspace, &batch, from_memory,
                                 &result, error);
        line->loss = result.loss;
        return status;
    }
    struct step_result result = {0};
    status = step_run(&e->model, &f->workspace, &f->optimizer, &batch, 1, f->lowest_layer, f->lr,
                      f->lr, &result, error);
    line->loss = result.loss;
    line->has_norm = true;
    line->gradient_norm = result.gradient_norm;
    return status;
}

/* What the method trains: the adapters alone, or the model. */
static mneme_status take_digest(const struct finetuning *f, struct digest *digest,
                                mneme_error *error) {
    if (f->method != METHOD_LORA)
        return parameter_digest_model(&f->experiment->model, digest, error);
    return parameter_digest_list(f->optimizer.n_trained, f->optimizer.trained, digest, error);
}

mneme_status finetuning_step(struct finetuning *f, struct trail_line *line, bool *diverged,
                             mneme_error *error) {
    const struct recipe_finetune *recipe = &f->experiment->recipe.finetune;
    mneme_error cause;
    *line = (struct trail_line){.step = f->steps + 1, .lr = f->lr};
    size_t number = f->steps / recipe->steps_per_fact;
    *diverged = make_inputs(f, number, &cause) != MNEME_OK;
    fill_batch(f, number, f->steps % recipe->steps_per_fact);
    line->tokens = f->builder.n_tokens;
    *diverged = *diverged || learn(f, line, &cause) != MNEME_OK;
    if (*diverged) return MNEME_OK;
    f->steps++;
    size_t every = recipe->digest_every;
    line->has_digest = f->steps == finetuning_n_steps(f) || (every > 0 && f->steps % every == 0);
    return line->has_digest ? take_digest(f, &line->digest, error) : MNEME_OK;
}

mneme_status finetuning_finish(struct finetuning *f, mneme_error *error) {
    return f->method == METHOD_LORA ? adapter_merge(&f->experiment->model, error) : MNEME_OK;
}

/* Evaluates the model in the middle of the stream, after n_lessons lessons. Adapters are merged for
 * it, and taken out again. */
static mneme_status look(struct finetuning *f, struct stream *stream, size_t n_lessons,
                         mneme_error *error) {
    struct experiment *e = f->experiment;
    size_t every = e->recipe.finetune.evaluate_every;
    if (every == 0 || (n_lessons % every != 0 && n_lessons != e->lessons.n)) return MNEME_OK;
    if (f->method != METHOD_LORA) return stream_evaluate(stream, e, n_lessons, error);
    mneme_status status = adapter_merge(&e->model, error);
    if (status == MNEME_OK) status = stream_evaluate(stream, e, n_lessons, error);
    experiment_restore_base(e);
    adapter_set_attach(&f->adapters);
    return status;
}

static mneme_status teach(struct finetuning *f, const struct stage *stage, struct trail *trail,
                          struct stream *stream, struct finetuning_result *result,
                          mneme_error *error) {
    const struct experiment *e = f->experiment;
    size_t tokens = 0, per_fact = e->recipe.finetune.steps_per_fact,
           n_steps = finetuning_n_steps(f);
    while (f->steps < n_steps) {
        struct trail_line line;
        double start = clock_seconds();
        mneme_status status = finetuning_step(f, &line, &result->diverged, error);
        result->seconds += clock_seconds() - start;
        if (status != MNEME_OK) return status;
        if (result->diverged) break;
        status = trail_add(trail, &line, error);
        if (status != MNEME_OK) return status;
        tokens += line.tokens;
        if (f->steps % per_fact != 0) continue;
        size_t n_lessons = f->steps / per_fact;
        experiment_progress(e, stage->name, e->lessons.unit, n_lessons, e->lessons.n, tokens,
                            &line.loss);
        status = look(f, stream, n_lessons, error);
        if (status != MNEME_OK) return status;
    }
    result->steps = f->steps;
    return trail_flush(trail, error);
}

static size_t count_trainable(const struct finetuning *f) {
    if (f->method == METHOD_SMF) {
        const struct memory_config *memory = &f->experiment->recipe.model.memory;
        size_t count = f->stepper.n_trainable * memory->v_dim * (memory->peer_variant ? 2 : 1);
        for (size_t m = 0; f->stepper.model != NULL && m < memory->n_layers; m++) {
            count += f->experiment->model.layers[memory->layers[m]].keys->count;
        }
        return count;
    }
    size_t count = 0;
    for (size_t i = 0; i < f->optimizer.n_trained; i++) count += f->optimizer.trained[i]->count;
    return count;
}

mneme_status finetuning_run(struct experiment *experiment, const struct stage *stage,
                            const struct background *background, const char *folder,
                            struct finetuning_result *result, mneme_error *error) {
    struct finetuning f = {0};
    struct trail trail = {0};
    struct stream stream = {0};
    const bool looks = experiment->recipe.finetune.evaluate_every > 0;
    char *path = path_join(folder, "trail.jsonl");
    *result = (struct finetuning_result){0};
    mneme_status status = path == NULL ? error_set_memory(error, "a path")
                                       : finetuning_open(&f, experiment, stage, background, error);
    if (status == MNEME_OK) status = trail_open(&trail, path, stage->name, 0, error);
    if (status == MNEME_OK) {
        result->trainable_parameters = count_trainable(&f);
        if (looks) status = stream_open(&stream, folder, error);
    }
    if (status == MNEME_OK) status = teach(&f, stage, &trail, &stream, result, error);
    if (status == MNEME_OK && looks) status = stream_finish(&stream, error);
    if (status == MNEME_OK) status = finetuning_finish(&f, error);
    stream_abandon(&stream);
    trail_close(&trail);
    finetuning_close(&f);
    free(path);
    return status;
}
