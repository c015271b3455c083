#include "teach/course.h"

#include <stdlib.h>
#include <string.h>

#include "nn/cross_entropy.h"

/* A fact that was right is asked again: it is forgotten when a token of its answer is less likely
 * than all others together. */
#define FORGOTTEN 0.6931472f

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t reads_per_token(const struct model *model) {
    return model->config.memory.heads * model->config.memory.knn;
}

static mneme_status open_stepper(struct course *c, const struct background *background,
                                 mneme_error *error) {
    const struct sparse_settings settings = {.n_trainable = SIZE_MAX, /* choose_t says */
                                             .trainable_per = TRAINABLE_PER_MODEL,
                                             .selection = SLOTS_TF_IDF,
                                             .idf_power = c->settings.idf_power,
                                             .optimizer = SPARSE_SGD_POLYAK,
                                             .lr = c->settings.lr};
    return sparse_stepper_open(&c->stepper, c->model, background, &settings, c->max_tokens, error);
}

mneme_status course_open(struct course *c, struct model *model, const struct voice *voice,
                         const struct background *background, const struct teach_settings *settings,
                         size_t longest, mneme_error *error) {
    const size_t lowest = model->config.memory.layers[0];
    *c = (struct course){.model = model, .voice = voice, .settings = *settings};
    c->max_tokens = settings->batch * longest;
    c->taught = calloc(settings->review + 1, sizeof *c->taught);
    c->texts = calloc(settings->batch, sizeof *c->texts);
    c->read = malloc(c->max_tokens * reads_per_token(model) * sizeof *c->read);
    mneme_status status = c->taught == NULL || c->texts == NULL || c->read == NULL
                              ? error_set_memory(error, "the facts")
                              : MNEME_OK;
    const size_t all = 2 * settings->wordings * longest;
    THEN(pass_open_scoring(&c->below, model, all, error));
    THEN(pass_open_above(&c->pass, model, c->max_tokens, lowest, error));
    THEN(pass_pack(&c->pass, lowest, error));
    THEN(batch_builder_open(&c->builder, larger(all, c->max_tokens), error));
    THEN(open_stepper(c, background, error));
    if (status != MNEME_OK) course_close(c);
    return status;
}

static void forget(struct taught *taught) {
    lesson_close(&taught->lesson);
    memory_inputs_close(&taught->inputs);
}

void course_close(struct course *c) {
    for (size_t i = 0; c->taught != NULL && i <= c->settings.review; i++) forget(&c->taught[i]);
    sparse_stepper_close(&c->stepper);
    batch_builder_close(&c->builder);
    pass_close(&c->pass);
    pass_close(&c->below);
    free(c->taught);
    free(c->texts);
    free(c->read);
    free(c->slots);
    *c = (struct course){0};
}

static struct taught *place_of(const struct course *c, size_t fact) {
    return &c->taught[fact % (c->settings.review + 1)];
}

/* Reads the fact's texts up to the memory. */
static mneme_status open_inputs(struct course *c, struct taught *taught, mneme_error *error) {
    const struct lesson *lesson = &taught->lesson;
    TRY(memory_inputs_open(&taught->inputs, c->model, lesson->texts.n, lesson_tokens(lesson),
                           error));
    batch_builder_clear(&c->builder);
    for (size_t i = 0; i < lesson->texts.n; i++) lesson_add(lesson, i, &c->builder);
    const struct batch batch = batch_builder_whole(&c->builder);
    return memory_inputs_make(&taught->inputs, &c->below, &batch, error);
}

mneme_status course_remember(struct course *c, const struct question *record, mneme_error *error) {
    struct taught *taught = place_of(c, c->n_taught);
    forget(taught);
    TRY(lesson_open(&taught->lesson, c->voice, record, c->settings.wordings,
                    (uint64_t)c->settings.seed, error));
    TRY(open_inputs(c, taught, error));
    c->n_taught++;
    return MNEME_OK;
}

/* The batch of a step: the asked text, and of the first n the next ones. */
static struct batch fill_batch(struct course *c, const struct taught *taught, size_t n,
                               size_t step) {
    const size_t others = n - 1, most = c->settings.batch - 1;
    const size_t taken = others < most ? others : most;
    batch_builder_clear(&c->builder);
    for (size_t i = 0; i <= taken; i++) {
        c->texts[i] = i == 0 ? 0 : (uint32_t)(1 + (step * taken + i - 1) % others);
        lesson_add(&taught->lesson, c->texts[i], &c->builder);
    }
    memory_inputs_place(&taught->inputs, &c->pass, taken + 1, c->texts);
    return batch_builder_whole(&c->builder);
}

/* Of the batch's first text, the asked one: its mean loss, and the largest of a token. */
struct asked_loss {
    float mean, most;
};

static struct asked_loss asked_loss(const struct pass *pass, const struct batch *batch) {
    struct asked_loss loss = {0};
    size_t n = 0;
    for (size_t i = 0; i < batch->starts[1]; i++) {
        if (batch->targets[i] == CROSS_ENTROPY_IGNORE) continue;
        const float of_token = pass->activations.losses[i];
        loss.mean += of_token;
        if (of_token > loss.most) loss.most = of_token;
        n++;
    }
    loss.mean /= (float)larger(n, 1);
    return loss;
}

/* Notes what the last step changed. */
static mneme_status note_slots(struct course *c, mneme_error *error) {
    const size_t n = c->stepper.n_chosen;
    TRY(memory_grow((void **)&c->slots, &c->slot_capacity, c->n_slots + n, sizeof *c->slots,
                    "the changed slots", error));
    memcpy(c->slots + c->n_slots, c->stepper.slots, n * sizeof *c->slots);
    c->n_slots += n;
    return MNEME_OK;
}

static int compare_slots(const void *a, const void *b) {
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts n slots, and keeps each once; how many there are. */
static size_t sort_slots(size_t n, int32_t *slots) {
    size_t kept = 0;
    if (n == 0) return 0;
    qsort(slots, n, sizeof *slots, compare_slots);
    for (size_t i = 1; i < n; i++) {
        if (slots[i] != slots[kept]) slots[++kept] = slots[i];
    }
    return kept + 1;
}

/* How many slots steps on the batch, which is placed, may change: as many as the settings say, or
 * their share of those that it reads. */
static size_t choose_t(struct course *c, const struct batch *batch, size_t *n_read) {
    const struct layer_activations *a =
        &c->pass.activations.layers[c->model->config.memory.layers[0]];
    const size_t n = batch->n_tokens * reads_per_token(c->model);
    memcpy(c->read, a->slots, n * sizeof *c->read);
    *n_read = sort_slots(n, c->read);
    if (c->settings.t != 0) return c->settings.t;
    size_t t = (size_t)(c->settings.t_share * (float)*n_read);
    return larger(t, 1);
}

/* Steps on a fact until its answer is learned, at most so many; of its texts the first n. */
static mneme_status take_steps(struct course *c, const struct taught *taught, size_t n, size_t most,
                               struct course_result *result, mneme_error *error) {
    *result = (struct course_result){0};
    while (result->steps < most && !result->learned) {
        struct sparse_step_result step = {0};
        const struct batch batch = fill_batch(c, taught, n, result->steps);
        if (result->steps == 0) result->t = choose_t(c, &batch, &result->n_read);
        sparse_stepper_limit(&c->stepper, result->t);
        TRY(sparse_step_run(&c->stepper, &c->pass, &batch, true, &step, error));
        TRY(note_slots(c, error));
        const struct asked_loss loss = asked_loss(&c->pass, &batch);
        if (result->steps++ == 0) result->loss_before = loss.mean;
        result->loss = loss.mean;
        result->learned = loss.most <= c->settings.enough && step.loss <= 2 * c->settings.enough;
    }
    return MNEME_OK;
}

/* The largest loss of a token of the fact's answer, as the model is now. */
static mneme_status ask(struct course *c, const struct taught *taught, float *most,
                        mneme_error *error) {
    batch_builder_clear(&c->builder);
    lesson_add(&taught->lesson, 0, &c->builder);
    const struct batch batch = batch_builder_whole(&c->builder);
    c->texts[0] = 0;
    memory_inputs_place(&taught->inputs, &c->pass, 1, c->texts);
    TRY(model_forward_from_memory(&c->pass, &batch, error));
    model_loss(&c->pass, &batch, 0.0f, NULL);
    *most = asked_loss(&c->pass, &batch).most;
    return MNEME_OK;
}

/* Asks the facts before again, and teaches those that are forgotten. */
static mneme_status review(struct course *c, size_t *n_reviewed, mneme_error *error) {
    const size_t last = c->n_taught - 1;
    const size_t first = last > c->settings.review ? last - c->settings.review : 0;
    for (size_t i = first; i < last; i++) {
        const struct taught *taught = place_of(c, i);
        struct course_result result;
        float most;
        TRY(ask(c, taught, &most, error));
        if (most <= FORGOTTEN) continue;
        TRY(take_steps(c, taught, taught->lesson.n_wordings, c->settings.review_steps, &result,
                       error));
        ++*n_reviewed;
    }
    return MNEME_OK;
}

mneme_status course_teach(struct course *c, const struct question *record,
                          struct course_result *result, mneme_error *error) {
    size_t n_reviewed = 0;
    TRY(course_remember(c, record, error));
    const struct taught *taught = place_of(c, c->n_taught - 1);
    c->n_slots = 0;
    TRY(take_steps(c, taught, taught->lesson.texts.n, c->settings.max_steps, result, error));
    TRY(review(c, &n_reviewed, error));
    c->n_slots = sort_slots(c->n_slots, c->slots);
    result->n_reviewed = n_reviewed;
    result->n_slots = c->n_slots;
    return MNEME_OK;
}
