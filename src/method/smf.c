/* Sparse memory finetuning (SMF): each step changes the values of the t slots that rank highest for
 * its batch. */

#include "method/teaching.h"
#include "smf/memory_inputs.h"
#include "smf/sparse_step.h"

/* A pass grows with its tokens; so many times a batch is not worth it. */
#define MOST_BATCHES_OF_INPUTS 4

struct smf {
    struct sparse_stepper stepper;
    /* With frozen keys: what the memory layer gets from all wordings of a lesson. */
    bool keeps_inputs;
    struct memory_inputs inputs;
    size_t inputs_lesson; /* whose they are; SIZE_MAX before the first */
};

/* The steps on a lesson share what is below the memory layer, when they would do it for more texts
 * than the lesson has, and these are not many times a batch. *max_tokens will hold them all. */
static mneme_status open_inputs(struct smf *smf, const struct teaching *t, size_t *max_tokens,
                                mneme_error *error) {
    const struct recipe_finetune *r = &t->recipe->finetune;
    size_t texts = lessons_most_texts(t->lessons), tokens = lessons_most_tokens(t->lessons);
    smf->inputs_lesson = SIZE_MAX;
    smf->keeps_inputs = !(r->smf.keys_lr > 0.0f) && texts < r->steps_per_fact * r->paraphrases &&
                        tokens <= MOST_BATCHES_OF_INPUTS * *max_tokens;
    if (!smf->keeps_inputs) return MNEME_OK;
    if (tokens > *max_tokens) *max_tokens = tokens;
    return memory_inputs_open(&smf->inputs, t->model, texts, tokens, error);
}

static mneme_status open_stepper(struct smf *smf, const struct teaching *t, size_t max_tokens,
                                 mneme_error *error) {
    const struct recipe_smf *r = &t->recipe->finetune.smf;
    const struct recipe_pretrain *p = &t->recipe->pretrain;
    const struct sparse_settings settings = {
        .n_trainable = r->t,
        .trainable_per = r->t_per,
        .selection = r->select,
        .idf_power = r->idf_power,
        .seed = t->recipe->seed,
        .optimizer = r->optimizer,
        .adamw = {.beta1 = p->beta1, .beta2 = p->beta2, .eps = p->eps},
        .lr = t->lr,
        .keys_lr = r->keys_lr};
    return sparse_stepper_open(&smf->stepper, t->model, t->background, &settings, max_tokens,
                               error);
}

static mneme_status smf_open(struct teaching *t, mneme_error *error) {
    struct smf *smf = t->state;
    size_t tokens = teaching_batch_tokens(t);
    TRY(open_inputs(smf, t, &tokens, error));
    TRY(teaching_open_pass(t, tokens, error));
    if (!(t->recipe->finetune.smf.keys_lr > 0.0f)) {
        TRY(pass_pack(&t->pass, t->model->config.memory.layers[0], error));
    }
    return open_stepper(smf, t, tokens, error);
}

/* Whether the step's pass can begin at the memory layer. One that is recorded is made whole. */
static bool begins_at_memory(const struct teaching *t) {
    const struct smf *smf = t->state;
    return smf->keeps_inputs && t->pass.recorder == NULL;
}

/* Makes the lesson's inputs of the memory layer, once. */
static mneme_status smf_begin_lesson(struct teaching *t, size_t lesson, bool *diverged,
                                     mneme_error *error) {
    struct smf *smf = t->state;
    if (!begins_at_memory(t) || smf->inputs_lesson == lesson) return MNEME_OK;
    batch_builder_clear(&t->builder);
    for (size_t i = t->lessons->first_text[lesson]; i < t->lessons->first_text[lesson + 1]; i++) {
        batch_builder_add_text(&t->builder, &t->lessons->texts, i);
    }
    struct batch batch = batch_builder_whole(&t->builder);
    mneme_status status = memory_inputs_make(&smf->inputs, &t->pass, &batch, error);
    *diverged = status != MNEME_OK; /* a score that is not a number: nothing else can fail */
    if (status == MNEME_OK) smf->inputs_lesson = lesson;
    return status;
}

static mneme_status smf_step(struct teaching *t, const struct batch *batch,
                             struct method_step *step, mneme_error *error) {
    struct smf *smf = t->state;
    struct sparse_step_result result = {0};
    const bool from_memory = begins_at_memory(t);
    if (from_memory) memory_inputs_place(&smf->inputs, &t->pass, batch->n_sequences, t->texts);
    mneme_status status =
        sparse_step_run(&smf->stepper, &t->pass, batch, from_memory, &result, error);
    *step = (struct method_step){.loss = result.loss, .diverged = result.diverged};
    return status;
}

static size_t smf_n_trainable(const struct teaching *t) {
    const struct smf *smf = t->state;
    return sparse_stepper_count(&smf->stepper);
}

static void smf_close(struct teaching *t) {
    struct smf *smf = t->state;
    sparse_stepper_close(&smf->stepper);
    memory_inputs_close(&smf->inputs);
}

const struct method method_smf = {.name = "smf",
                                  .title = "sparse memory finetuning",
                                  .colour = "#2ca02c",
                                  .rates = offsetof(struct recipe_finetune, smf.rates),
                                  .needs_background = true,
                                  .state_size = sizeof(struct smf),
                                  .open = smf_open,
                                  .begin_lesson = smf_begin_lesson,
                                  .step = smf_step,
                                  .n_trainable = smf_n_trainable,
                                  .close = smf_close};
