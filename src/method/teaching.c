#include "method/teaching.h"

#include <stdlib.h>

#include "base/random.h"
#include "base/rehearsal.h"
#include "model/model.h"

size_t teaching_batch_tokens(const struct teaching *t) {
    return t->recipe->finetune.paraphrases * lessons_longest_text(t->lessons);
}

mneme_status teaching_open_pass(struct teaching *t, size_t max_tokens, mneme_error *error) {
    TRY(batch_builder_open(&t->builder, max_tokens, error));
    return pass_open_training(&t->pass, t->model, max_tokens,
                              t->recipe->finetune.checkpoint_activations, error);
}

mneme_status teaching_open(struct teaching *t, mneme_error *error) {
    if (!rehearsal_is_on()) TRY(model_read(t->base_folder, t->model, error));
    t->order = malloc(lessons_most_texts(t->lessons) * sizeof *t->order);
    t->texts = malloc(t->recipe->finetune.paraphrases * sizeof *t->texts);
    t->state = calloc(1, t->method->state_size);
    if (t->order == NULL || t->texts == NULL || t->state == NULL) {
        return error_set_memory(error, "finetuning");
    }
    return t->method->open(t, error);
}

void teaching_close(struct teaching *t) {
    if (t->state != NULL) t->method->close(t);
    free(t->state);
    pass_close(&t->pass);
    batch_builder_close(&t->builder);
    free(t->texts);
    free(t->order);
    *t = (struct teaching){0};
}

size_t teaching_n_steps(const struct teaching *t) {
    return t->lessons->n * t->recipe->finetune.steps_per_fact;
}

/* Fills the builder with batch number `step` of a lesson: the next paraphrases in the lesson's own
 * endless order. */
static void fill_batch(struct teaching *t, size_t lesson, size_t step) {
    size_t n = lessons_n_texts(t->lessons, lesson), paraphrases = t->recipe->finetune.paraphrases;
    random_permutation(t->recipe->seed, RANDOM_STREAM_PARAPHRASE, (uint64_t)lesson << 32, n,
                       t->order);
    batch_builder_clear(&t->builder);
    for (size_t i = 0; i < paraphrases; i++) {
        t->texts[i] = t->order[(step * paraphrases + i) % n];
        const size_t text = t->lessons->first_text[lesson] + t->texts[i];
        batch_builder_add_text_from(&t->builder, &t->lessons->texts, text,
                                    lessons_first_target(t->lessons, text));
    }
}

mneme_status teaching_step(struct teaching *t, struct method_step *step, size_t *tokens,
                           mneme_error *error) {
    size_t per_fact = t->recipe->finetune.steps_per_fact, lesson = t->steps / per_fact;
    *step = (struct method_step){0};
    if (t->method->begin_lesson != NULL) {
        TRY(t->method->begin_lesson(t, lesson, &step->diverged, error));
    }
    fill_batch(t, lesson, t->steps % per_fact);
    *tokens = t->builder.n_tokens;
    struct batch batch = batch_builder_whole(&t->builder);
    TRY(t->method->step(t, &batch, step, error));
    t->steps++;
    return MNEME_OK;
}

mneme_status teaching_digest(const struct teaching *t, struct digest *digest, mneme_error *error) {
    return t->method->digest != NULL ? t->method->digest(t, digest, error)
                                     : parameter_digest_model(t->model, digest, error);
}

bool teaching_is_finite(const struct teaching *t) {
    return model_is_finite(t->model) && adapter_set_is_finite(t->pass.adapters);
}

mneme_status teaching_finish(struct teaching *t, mneme_error *error) {
    return t->method->finish != NULL ? t->method->finish(t, error) : MNEME_OK;
}

mneme_status teaching_resume(struct teaching *t, mneme_error *error) {
    return t->method->resume != NULL ? t->method->resume(t, error) : MNEME_OK;
}
