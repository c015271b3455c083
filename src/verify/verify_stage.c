/* A training repeated step by step, and what it left behind. */

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "folder/checkpoint_files.h"
#include "folder/folder.h"
#include "run/evaluation.h"
#include "run/model_folder.h"
#include "run/replay.h"
#include "run/scored_run.h"
#include "run/stream.h"
#include "tensor/model_digest.h"
#include "train/checkpoint.h"
#include "verify/verifying.h"

/* A stage that is being repeated. */
struct repeating {
    struct verifying *v;
    struct replay replay;
    const char *folder; /* of the trail */
    struct path model;  /* the folder of the model, scores and answers */

    /* Evaluations along the stream; NULL: none are repeated. */
    FILE *stream_text;
    char *stream_bytes;
    size_t stream_length;
    struct stream stream;
};

/* A path's name in the run folder. */
static const char *name_of(const struct verifying *v, const char *path) {
    const char *name = path + strlen(v->directory.text);
    return *name == '/' ? name + 1 : name;
}

static mneme_status compare_digest(struct verifying *v, const char *path, const char *found,
                                   mneme_error *error) {
    mneme_digest recorded;
    TRY(model_digest_path(path, &recorded, error));
    mneme_status status = MNEME_OK;
    if (strcmp(recorded.sha256, found) != 0) {
        status = verifying_differ(v, name_of(v, path), 0, recorded.sha256, found, error);
    }
    model_digest_free(&recorded);
    return status;
}

/* The checkpoint that was kept after this step. */
static mneme_status compare_checkpoint(struct repeating *r, mneme_error *error) {
    struct pretraining *p = &r->replay.pretraining;
    struct path path = checkpoint_files_path(r->folder, p->optimizer.step);
    struct digest found;
    if (r->replay.stage.method != NULL || !file_exists(path.text)) return MNEME_OK;
    TRY(checkpoint_digest(&p->optimizer, p->order.cursor, pretraining_usage(p), &found, error));
    return compare_digest(r->v, path.text, found.hex, error);
}

/* Evaluates in the middle of the stream where the run did. */
static mneme_status look(struct repeating *r, mneme_error *error) {
    struct teaching *t = &r->replay.teaching;
    const struct experiment *e = &r->v->experiment;
    const size_t every = e->recipe.finetune.evaluate_every;
    const size_t per_fact = e->recipe.finetune.steps_per_fact, n = t->steps / per_fact;
    if (r->stream_text == NULL || t->steps % per_fact != 0) return MNEME_OK;
    if (n % every != 0 && n != e->lessons.n) return MNEME_OK;
    mneme_status status = teaching_finish(t, error);
    THEN(stream_evaluate(&r->stream, e, n, error));
    THEN(teaching_resume(t, error));
    return status;
}

static mneme_status compare_step(struct repeating *r, size_t *tokens, mneme_error *error) {
    mneme_verified_stage *stage = r->v->stage;
    struct trail_line line;
    char *found;
    TRY(replay_step(&r->replay, &line, &found, error));
    *tokens += line.tokens;
    experiment_progress(&r->v->experiment, stage->name, "steps", line.step - stage->start,
                        stage->last - stage->start, *tokens, &line.loss);
    mneme_status status = MNEME_OK;
    if (found != NULL && line.step >= stage->first) {
        status = verifying_differ(r->v, NULL, line.step, r->replay.trail.lines[line.step - 1],
                                  found, error);
    }
    free(found);
    THEN(compare_checkpoint(r, error));
    THEN(look(r, error));
    return status;
}

/* Steps up to the last one that is to be compared, or to the first that differs. */
static mneme_status compare_steps(struct repeating *r, mneme_error *error) {
    mneme_verified_stage *stage = r->v->stage;
    size_t tokens = 0;
    stage->start = replay_steps(&r->replay);
    while (replay_steps(&r->replay) < stage->last && stage->equal) {
        TRY(compare_step(r, &tokens, error));
    }
    return MNEME_OK;
}

static char *print_value(const json_t *value) {
    return value == NULL ? strdup("nothing")
                         : json_print(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
}

static mneme_status differ_in_key(struct verifying *v, const char *name, const char *key,
                                  const json_t *recorded, const json_t *found, mneme_error *error) {
    char *a = print_value(recorded), *b = print_value(found);
    mneme_status status =
        a == NULL || b == NULL
            ? error_set_memory(error, "a comparison")
            : verifying_differ(v, path_in("", "%s: %s", name, key).text, 0, a, b, error);
    free(a);
    free(b);
    return status;
}

/* Two objects, but for how long the training took. */
static mneme_status compare_objects(struct verifying *v, const char *name, json_t *recorded,
                                    json_t *found, mneme_error *error) {
    const char *key;
    json_t *value;
    json_object_foreach(found, key, value) {
        if (strcmp(key, "seconds") == 0 || json_equal(value, json_object_get(recorded, key))) {
            continue;
        }
        TRY(differ_in_key(v, name, key, json_object_get(recorded, key), value, error));
    }
    json_object_foreach(recorded, key, value) {
        if (json_object_get(found, key) != NULL) continue;
        TRY(differ_in_key(v, name, key, value, NULL, error));
    }
    return MNEME_OK;
}

/* `found` is freed. */
static mneme_status compare_json(struct verifying *v, const char *path, json_t *found,
                                 mneme_error *error) {
    json_t *recorded = NULL;
    mneme_status status = found == NULL ? error_set_memory(error, "a comparison")
                                        : json_read_file(path, JSON_MAX_BYTES, &recorded, error);
    THEN(compare_objects(v, name_of(v, path), recorded, found, error));
    json_decref(recorded);
    json_decref(found);
    return status;
}

/* What the run should have said of itself, without its scores. */
static struct scored_run describe(const struct repeating *r) {
    const struct replay *replay = &r->replay;
    struct scored_run run = {.steps = r->v->experiment.recipe.pretrain.steps};
    if (replay->stage.method == NULL) return run;
    run.lr = (double)replay->stage.lr;
    run.steps = replay->teaching.steps;
    run.trainable_parameters = replay->stage.method->n_trainable(&replay->teaching);
    return run;
}

/* Asks the repeated model all questions again; one that diverges there says so. */
static mneme_status ask(const struct repeating *r, struct scored_run *run, char **said,
                        mneme_error *error) {
    size_t length;
    mneme_error cause = {0};
    FILE *text = open_memstream(said, &length);
    if (text == NULL) return error_set_memory(error, "the answers");
    mneme_status status =
        evaluation_run(&r->v->experiment, r->v->stage->name, text, &run->scores, &cause);
    if (fclose(text) != 0) return error_set_memory(error, "the answers");
    if (run->scores.diverged) {
        divergence_set(&run->divergence, run->steps, cause.message);
        return MNEME_OK;
    }
    if (status != MNEME_OK && error != NULL) *error = cause;
    return status;
}

/* One step more than the trail has: it must diverge as the run's did. */
static mneme_status find_divergence(struct repeating *r, struct divergence *divergence,
                                    mneme_error *error) {
    struct teaching *t = &r->replay.teaching;
    struct trail_line line;
    mneme_error cause = {0};
    bool diverged = false;
    if (r->replay.stage.method == NULL || t->steps == teaching_n_steps(t)) return MNEME_OK;
    mneme_status status = finetuning_step(t, &line, &diverged, &cause);
    if (diverged) {
        divergence_set(divergence, line.step, cause.message);
        return MNEME_OK;
    }
    if (status != MNEME_OK && error != NULL) *error = cause;
    TRY(status);
    return verifying_differ(r->v, NULL, line.step, "no such step", "the finetuning goes on", error);
}

/* What lies in the model's folder is of the repeated model. */
static mneme_status compare_evaluation(struct repeating *r, struct scored_run *run,
                                       mneme_error *error) {
    struct verifying *v = r->v;
    struct path answers = path_in(r->model.text, FOLDER_ANSWERS);
    struct path scores = path_in(r->model.text, FOLDER_SCORES);
    char *said = NULL;
    mneme_status status = run->divergence.step == 0 ? ask(r, run, &said, error) : MNEME_OK;
    run->scores.diverged = run->divergence.step > 0;
    THEN(compare_json(v, scores.text, scored_run_to_json(run), error));
    if (!run->scores.diverged) {
        THEN(verifying_compare_file(v, name_of(v, answers.text), said, error));
    }
    free(said);
    v->stage->evaluated = status == MNEME_OK;
    return status;
}

static mneme_status compare_stream(struct repeating *r, mneme_error *error) {
    struct path path = path_in(r->folder, FOLDER_STREAM);
    if (r->stream_text == NULL) return MNEME_OK;
    if (fflush(r->stream_text) != 0) return error_set_memory(error, "the evaluations");
    return verifying_compare_file(r->v, name_of(r->v, path.text), r->stream_bytes, error);
}

/* What lies beside a model so that others can use it. */
static mneme_status compare_model_files(struct repeating *r, mneme_error *error) {
    struct verifying *v = r->v;
    struct path config = path_in(r->model.text, "config.json"), tokenizer_copy, tokenizer;
    tokenizer_copy = path_in(r->model.text, FOLDER_TOKENIZER);
    tokenizer = path_in(v->directory.text, FOLDER_TOKENIZER);
    char *text;
    size_t length;
    if (!file_exists(config.text)) return MNEME_OK;
    TRY(compare_json(v, config.text, model_config_to_json(&v->experiment.model.config), error));
    TRY(file_read(tokenizer.text, SIZE_MAX / 2, &text, &length, error));
    mneme_status status = verifying_compare_file(v, name_of(v, tokenizer_copy.text), text, error);
    free(text);
    return status;
}

/* Whether the trail goes to the stage's end. */
static bool is_at_end(const struct repeating *r) {
    const struct replay *replay = &r->replay;
    return replay->stage.method == NULL ? replay->trail.n == r->v->experiment.recipe.pretrain.steps
                                        : replay->trail.n == teaching_n_steps(&replay->teaching);
}

/* The model that the repeated training leaves, in the folder's files. */
static mneme_status compare_model(struct repeating *r, struct scored_run *run, mneme_error *error) {
    struct verifying *v = r->v;
    struct path model = path_in(r->model.text, FOLDER_MODEL);
    TRY(replay_finish(&r->replay, error));
    if (run->divergence.step == 0 && !model_is_finite(&v->experiment.model)) {
        divergence_set(&run->divergence, run->steps, "a weight is not finite");
    }
    if (run->divergence.step > 0) return MNEME_OK;
    TRY(parameter_digest_model(&v->experiment.model, &run->digest, error));
    TRY(compare_model_files(r, error));
    return file_exists(model.text) ? compare_digest(v, model.text, run->digest.hex, error)
                                   : MNEME_OK;
}

/* The model at the stage's end, its scores and its answers. */
static mneme_status compare_end(struct repeating *r, mneme_error *error) {
    struct verifying *v = r->v;
    const bool scored = file_exists(path_in(r->model.text, FOLDER_SCORES).text);
    struct divergence divergence = {0};
    if (scored) TRY(find_divergence(r, &divergence, error));
    if (!v->stage->equal) return MNEME_OK;
    TRY(compare_stream(r, error));
    struct scored_run run = describe(r);
    run.divergence = divergence;
    if (scored || is_at_end(r)) TRY(compare_model(r, &run, error));
    if (scored) return compare_evaluation(r, &run, error);
    return verifying_pass_over(v, error, "scores and answers, which are not there");
}

static mneme_status open_stream(struct repeating *r, mneme_error *error) {
    const size_t every = r->v->experiment.recipe.finetune.evaluate_every;
    if (r->replay.stage.method == NULL || every == 0) return MNEME_OK;
    if (!file_exists(path_in(r->folder, FOLDER_STREAM).text)) {
        return verifying_pass_over(r->v, error, FOLDER_STREAM ", which is not there");
    }
    r->stream_text = open_memstream(&r->stream_bytes, &r->stream_length);
    if (r->stream_text == NULL) return error_set_memory(error, "the evaluations");
    r->stream.writer.stream = r->stream_text;
    return MNEME_OK;
}

/* The steps that were asked for, as far as the trail goes, and the end if they reach it. */
static mneme_status compare_window(struct repeating *r, mneme_error *error) {
    struct verifying *v = r->v;
    const size_t from = v->options->from, to = v->options->to, n = r->replay.trail.n;
    v->stage->first = from > 0 ? from : 1;
    v->stage->last = to > 0 && to < n ? to : n;
    TRY(open_stream(r, error));
    TRY(replay_begin(&r->replay, v->stage->first - 1, error));
    TRY(compare_steps(r, error));
    if (!v->stage->equal) return MNEME_OK;
    if (v->stage->start > 0) {
        TRY(verifying_pass_over(v, error, "steps up to %zu, for which its checkpoint was taken",
                                v->stage->start));
    }
    if (v->stage->last < n || (r->replay.stage.method == NULL && !is_at_end(r))) {
        return verifying_pass_over(v, error,
                                   "model, scores and answers, since the steps end before");
    }
    return compare_end(r, error);
}

/* A run that was cut short has not begun every stage. */
static mneme_status pass_over_missing(struct verifying *v, const char *folder, bool *missing,
                                      mneme_error *error) {
    *missing = !v->is_whole && !file_exists(path_in(folder, FOLDER_TRAIL).text);
    if (!*missing) return MNEME_OK;
    return verifying_pass_over(v, error, "the run was cut short before this");
}

mneme_status verify_stage(struct verifying *v, const struct stage *stage, const char *name,
                          const char *folder, mneme_error *error) {
    struct repeating r = {.v = v, .folder = folder};
    bool missing;
    if (!verifying_wants(v, name)) return MNEME_OK;
    TRY(verifying_begin(v, name, error));
    TRY(pass_over_missing(v, folder, &missing, error));
    if (missing) return MNEME_OK;
    r.model = path_in("", "%s", stage->method == NULL ? v->experiment.base_folder : folder);
    mneme_status status = replay_open(&r.replay, &v->experiment, stage, folder, error);
    THEN(compare_window(&r, error));
    replay_close(&r.replay);
    if (r.stream_text != NULL) fclose(r.stream_text);
    free(r.stream_bytes);
    return status;
}
