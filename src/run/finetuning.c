#include "run/finetuning.h"

#include "base/clock.h"
#include "folder/folder.h"
#include "run/stream.h"

struct teaching finetuning_of(struct experiment *e, const struct stage *stage,
                              const struct background *background) {
    return (struct teaching){.method = stage->method,
                             .recipe = &e->recipe,
                             .lessons = &e->lessons,
                             .base_folder = e->base_folder,
                             .background = background,
                             .model = &e->model,
                             .lr = stage->lr};
}

mneme_status finetuning_step(struct teaching *t, struct trail_line *line, bool *diverged,
                             mneme_error *error) {
    struct method_step step;
    *line = (struct trail_line){.step = t->steps + 1, .lr = t->lr};
    mneme_status status = teaching_step(t, &step, &line->tokens, error);
    *diverged = step.diverged;
    if (status != MNEME_OK) return status;
    line->loss = step.loss;
    line->has_norm = step.has_norm;
    line->gradient_norm = step.gradient_norm;
    size_t every = t->recipe->finetune.digest_every;
    line->has_digest = t->steps == teaching_n_steps(t) || (every > 0 && t->steps % every == 0);
    if (!line->has_digest) return MNEME_OK;
    *diverged = !teaching_is_finite(t);
    if (*diverged) return error_set(error, MNEME_FAILED, "a weight is not finite");
    return teaching_digest(t, &line->digest, error);
}

/* What is written along a finetuning. */
struct records {
    struct trail trail;
    struct stream stream;
};

/* Evaluates the model in the middle of the stream, after n_lessons lessons. */
static mneme_status look(struct teaching *t, const struct experiment *e, struct stream *stream,
                         size_t n_lessons, mneme_error *error) {
    size_t every = e->recipe.finetune.evaluate_every;
    if (every == 0 || (n_lessons % every != 0 && n_lessons != e->lessons.n)) return MNEME_OK;
    mneme_status status = teaching_finish(t, error);
    THEN(stream_evaluate(stream, e, n_lessons, error));
    THEN(teaching_resume(t, error));
    return status;
}

/* Steps on one lesson; a divergence ends them. */
static mneme_status teach_lesson(struct teaching *t, struct trail *trail,
                                 struct finetuning_result *result, struct trail_line *line,
                                 size_t *tokens, mneme_error *error) {
    size_t per_fact = t->recipe->finetune.steps_per_fact;
    do {
        bool diverged;
        double start = clock_seconds();
        mneme_status status = finetuning_step(t, line, &diverged, error);
        result->seconds += clock_seconds() - start;
        if (diverged) {
            divergence_set(&result->divergence, line->step, error == NULL ? NULL : error->message);
            return MNEME_OK;
        }
        THEN(trail_add(trail, line, error));
        if (status != MNEME_OK) return status;
        *tokens += line->tokens;
    } while (t->steps % per_fact != 0);
    return MNEME_OK;
}

static mneme_status teach(struct teaching *t, const struct experiment *e, const char *stage,
                          struct records *records, struct finetuning_result *result,
                          mneme_error *error) {
    size_t tokens = 0;
    for (size_t n = 1; n <= e->lessons.n; n++) {
        struct trail_line line;
        TRY(teach_lesson(t, &records->trail, result, &line, &tokens, error));
        if (result->divergence.step > 0) break;
        experiment_progress(e, stage, e->lessons.unit, n, e->lessons.n, tokens, &line.loss);
        TRY(look(t, e, &records->stream, n, error));
    }
    result->steps = t->steps;
    return trail_flush(&records->trail, error);
}

static PATH_OUT_OF_LINE mneme_status open_records(struct records *records, const char *folder,
                                                  const char *stage, bool looks,
                                                  mneme_error *error) {
    TRY(trail_open(&records->trail, path_in(folder, FOLDER_TRAIL).text, stage, 0, error));
    return looks ? stream_open(&records->stream, folder, error) : MNEME_OK;
}

/* Opens teaching and records, and teaches. */
static mneme_status run(struct teaching *t, const struct experiment *e, const struct stage *stage,
                        const char *folder, struct records *records,
                        struct finetuning_result *result, mneme_error *error) {
    const bool looks = e->recipe.finetune.evaluate_every > 0;
    TRY(teaching_open(t, error));
    TRY(open_records(records, folder, stage->name, looks, error));
    result->trainable_parameters = t->method->n_trainable(t);
    TRY(teach(t, e, stage->name, records, result, error));
    if (looks) TRY(stream_finish(&records->stream, error));
    if (t->method->keep != NULL) TRY(t->method->keep(t, folder, error));
    return teaching_finish(t, error);
}

mneme_status finetuning_run(struct experiment *e, const struct stage *stage,
                            const struct background *background, const char *folder,
                            struct finetuning_result *result, mneme_error *error) {
    struct teaching teaching = finetuning_of(e, stage, background);
    struct records records = {0};
    *result = (struct finetuning_result){0};
    mneme_status status = run(&teaching, e, stage, folder, &records, result, error);
    stream_abandon(&records.stream);
    trail_close(&records.trail);
    teaching_close(&teaching);
    return status;
}
