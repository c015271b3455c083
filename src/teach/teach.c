#include "teach/teach.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/rehearsal.h"
#include "data/questions.h"
#include "patch/patch_file.h"
#include "teach/facts.h"
#include "teach/pupil.h"
#include "teach/teach_report.h"

#define DEFAULT_PROMPT "Question: {question}\nAnswer:"
#define MAX_LOSS 0.03
/* Tokens of a wording; of a longer one the rest is left out. */
#define MAX_INPUTS 128
/* A patch is written when it has not been for so many seconds. */
#define SECONDS_BETWEEN_PATCHES 20.0
/* How often what is kept is looked at in between. */
#define LOOKS 5
#define FEWEST_BETWEEN_LOOKS 10

/* A call of mneme_teach under way. */
struct teaching_run {
    const mneme_teach_options *options;
    struct teach_settings settings;
    struct question_set facts;
    size_t n;  /* of them that count */
    bool *has; /* [n] the patch has it already */
    size_t n_new;
    struct pupil pupil;
    size_t keep_shots;
    struct watch watch;
    struct course course;
    struct outcome outcome;
    double saved; /* when the patch was written last */
};

static void tell(const struct teaching_run *r, const char *warning, size_t done,
                 const float *loss) {
    const mneme_teach_options *o = r->options;
    if (o->progress == NULL) return;
    const mneme_progress progress = {.stage = warning == NULL ? "teach" : "",
                                     .unit = "facts",
                                     .done = done,
                                     .total = r->n_new,
                                     .has_loss = loss != NULL,
                                     .loss = loss == NULL ? 0.0f : *loss,
                                     .warning = warning};
    o->progress(&progress, o->user);
}

static void MNEME_PRINTF(2, 3) say(const struct teaching_run *r, const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    tell(r, line, 0, NULL);
}

/* What the caller asked for over what is there already. */
static void take_options(const mneme_teach_options *o, struct teach_settings *s) {
    if (o->t != 0) s->t = o->t;
    if (o->t_share > 0.0f) s->t_share = o->t_share;
    if (o->idf_power != 0) s->idf_power = o->idf_power;
    if (o->lr > 0.0f) s->lr = o->lr;
    if (o->steps != 0) s->max_steps = o->steps;
    if (o->batch != 0) s->batch = o->batch;
    if (o->n_wordings != 0) s->wordings = o->n_wordings;
    if (o->enough > 0.0f) s->enough = o->enough;
    if (o->seed != 0) s->seed = o->seed;
}

/* The settings as text; none that could not be read again is taken. */
static mneme_status print_settings(const struct teach_settings *settings, char **text,
                                   mneme_error *error) {
    struct teach_settings again;
    json_t *object = teach_settings_to_json(settings);
    *text = object == NULL ? NULL : json_print(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (*text == NULL) return error_set_memory(error, "the settings");
    mneme_status status = teach_settings_read(&again, *text, "the options", error);
    if (status == MNEME_OK) return status;
    free(*text);
    *text = NULL;
    return status;
}

static mneme_status check_settings(const struct teach_settings *settings, mneme_error *error) {
    char *text;
    mneme_status status = print_settings(settings, &text, error);
    free(text);
    return status;
}

static mneme_status keep_settings(struct teaching_run *r, mneme_error *error) {
    char *text;
    TRY(print_settings(&r->settings, &text, error));
    free(r->pupil.patch.settings);
    r->pupil.patch.settings = text;
    return MNEME_OK;
}

/* The patch that goes on, if there is one. */
static const char *patch_before(const mneme_teach_options *o) {
    if (o->from != NULL) return o->from;
    return file_exists(o->patch) ? o->patch : NULL;
}

static const char *prompt_of(const mneme_teach_options *o) {
    return o->prompt == NULL ? DEFAULT_PROMPT : o->prompt;
}

static mneme_status open_pupil(struct teaching_run *r, mneme_error *error) {
    const mneme_teach_options *o = r->options;
    const char *from = patch_before(o);
    const struct pupil_options options = {
        .folder = o->model,
        .from = from,
        .texts = o->texts,
        .n_texts = o->n_texts,
        .prompt = prompt_of(o),
        .wordings = o->wordings,
        .max_inputs = MAX_INPUTS,
        .batches = o->background,
        .memory = {.layer = o->layer, .n_keys = o->n_keys, .knn = o->knn, .heads = o->heads},
        .seed = r->settings.seed,
        .progress = o->progress,
        .user = o->user};
    TRY(pupil_open(&r->pupil, &options, error));
    if (from == NULL) return MNEME_OK;
    say(r, "%s: goes on after its %zu facts", from, r->pupil.patch.n_facts);
    return teach_settings_read(&r->settings, r->pupil.patch.settings, from, error);
}

static mneme_status find_new(struct teaching_run *r, mneme_error *error) {
    r->has = calloc(r->facts.n + 1, sizeof *r->has);
    r->outcome.results = calloc(r->facts.n + 1, sizeof *r->outcome.results);
    if (r->has == NULL || r->outcome.results == NULL) return error_set_memory(error, "the facts");
    TRY(facts_find(&r->facts, &r->pupil.patch, r->has, error));
    for (size_t i = 0; i < r->n; i++) r->n_new += !r->has[i];
    if (r->n_new < r->n) {
        say(r, "%s: facts that are taught already, passed over: %zu", r->options->facts,
            r->n - r->n_new);
    }
    return MNEME_OK;
}

/* Whether all facts are questions, which can be asked. */
static bool are_questions(const struct question_set *facts) {
    for (size_t i = 0; i < facts->n; i++) {
        if (facts->questions[i].question == NULL) return false;
    }
    return true;
}

static void open_watch(struct teaching_run *r) {
    const mneme_teach_options *o = r->options;
    r->outcome.has_questions = are_questions(&r->facts);
    r->outcome.has_keep = o->keep != NULL;
    r->outcome.keep_path = o->keep;
    r->watch = (struct watch){.language = &r->pupil.language,
                              .folder = o->model,
                              .prompt = prompt_of(o),
                              .facts = r->outcome.has_questions ? o->facts : NULL,
                              .limit = o->limit,
                              .keep = o->keep,
                              .keep_shots = r->keep_shots,
                              .held_out = &r->pupil.reading.held_out,
                              .progress = o->progress,
                              .user = o->user};
}

/* The facts that the patch has last are asked again, too. */
static mneme_status open_course(struct teaching_run *r, mneme_error *error) {
    struct patch *patch = &r->pupil.patch;
    TRY(course_open(&r->course, &r->pupil.language.model, &r->pupil.voice, r->pupil.background,
                    &r->settings, r->pupil.voice.manner.max_inputs, error));
    size_t first = patch->n_facts > r->settings.review ? patch->n_facts - r->settings.review : 0;
    r->course.n_taught = first;
    for (size_t i = first; i < patch->n_facts && !rehearsal_is_on(); i++) {
        const struct question record = record_of_fact(&patch->facts[i]);
        TRY(course_remember(&r->course, &record, error));
    }
    return MNEME_OK;
}

static mneme_status save(struct teaching_run *r, mneme_error *error) {
    r->saved = clock_seconds();
    return patch_save(&r->pupil.patch, r->options->patch, error);
}

static mneme_status teach_one(struct teaching_run *r, const struct question *record,
                              mneme_error *error) {
    struct course_result *result = &r->outcome.results[r->outcome.n_taught];
    struct patch_fact fact;
    TRY(course_teach(&r->course, record, result, error));
    TRY(fact_of_record(record, &fact, error));
    fact.steps = result->steps;
    fact.loss = result->loss;
    TRY(patch_add_fact(&r->pupil.patch, &fact, &r->pupil.language.model, result->n_slots,
                       r->course.slots, error));
    r->outcome.n_taught++;
    if (clock_seconds() - r->saved < SECONDS_BETWEEN_PATCHES) return MNEME_OK;
    return save(r, error);
}

static void warn(const struct teaching_run *r, const char *what, double lost, const char *then) {
    say(r, "%s: %.1f %% lost after %zu facts%s", what, 100.0 * lost, r->outcome.n_taught, then);
}

/* Looks at what is kept: whether teaching must stop, which the questions alone decide. */
static mneme_status look(struct teaching_run *r, bool at_end, mneme_error *error) {
    const double most = r->options->max_loss > 0.0 ? r->options->max_loss : MAX_LOSS;
    struct outcome *o = &r->outcome;
    TRY(watch_measure(&r->watch, at_end, &o->after, error));
    o->lost = watch_losses(&o->before, &o->after);
    const bool stops = !at_end && o->lost.keep > most;
    o->stopped |= stops;
    if (o->lost.keep > most) warn(r, o->keep_path, o->lost.keep, stops ? ": teaching stops" : "");
    if (o->lost.text > most) warn(r, "held-out text", o->lost.text, "");
    return MNEME_OK;
}

static mneme_status teach_all(struct teaching_run *r, mneme_error *error) {
    size_t between = r->n_new / LOOKS, looked = 0;
    if (between < FEWEST_BETWEEN_LOOKS) between = FEWEST_BETWEEN_LOOKS;
    for (size_t i = 0; i < r->n && !r->outcome.stopped; i++) {
        if (r->has[i]) continue;
        TRY(teach_one(r, &r->facts.questions[i], error));
        const struct outcome *o = &r->outcome;
        tell(r, NULL, o->n_taught, &o->results[o->n_taught - 1].loss);
        if (o->n_taught - looked < between || o->n_taught == r->n_new) continue;
        looked = o->n_taught;
        TRY(look(r, false, error));
    }
    return MNEME_OK;
}

/* What is kept can be read; as many examples stand before each question as asked for, if the file
 * has others. */
static mneme_status check_keep(struct teaching_run *r, mneme_error *error) {
    struct question_set set = {0};
    r->keep_shots = r->options->keep_shots;
    if (r->options->keep == NULL) return MNEME_OK;
    TRY(questions_load(r->options->keep, &set, error));
    if (set.n <= r->keep_shots) r->keep_shots = set.n == 0 ? 0 : set.n - 1;
    questions_free(&set);
    return MNEME_OK;
}

static mneme_status run(struct teaching_run *r, mneme_error *error) {
    const mneme_teach_options *o = r->options;
    take_options(o, &r->settings);
    TRY(check_settings(&r->settings, error));
    TRY(facts_load(o->facts, &r->facts, error));
    TRY(check_keep(r, error));
    r->n = o->limit != 0 && o->limit < r->facts.n ? o->limit : r->facts.n;
    TRY(open_pupil(r, error));
    take_options(o, &r->settings);
    TRY(keep_settings(r, error));
    TRY(find_new(r, error));
    open_watch(r);
    say(r, "settings: %s", r->pupil.patch.settings);
    TRY(watch_measure(&r->watch, true, &r->outcome.before, error));
    TRY(open_course(r, error));
    if (rehearsal_is_on()) return MNEME_OK;
    r->saved = clock_seconds();
    mneme_status status = teach_all(r, error);
    if (status == MNEME_OK || r->outcome.n_taught > 0) {
        /* What was taught before a failure stays. */
        mneme_error other;
        mneme_status saved = save(r, status == MNEME_OK ? error : &other);
        if (status == MNEME_OK) status = saved;
    }
    course_close(&r->course);
    THEN(look(r, true, error));
    return status;
}

static mneme_status report(struct teaching_run *r, char **text, mneme_error *error) {
    struct outcome *o = &r->outcome;
    o->patch_path = r->options->patch;
    o->patch = &r->pupil.patch;
    o->settings = &r->settings;
    TRY(teach_report(o, r->options->json, text, error));
    if (!o->stopped) return MNEME_OK;
    return error_set(error, MNEME_FAILED,
                     "stopped after %zu of %zu facts: more was lost than is allowed", o->n_taught,
                     r->n_new);
}

static void close_run(struct teaching_run *r) {
    course_close(&r->course);
    free(r->has);
    free(r->outcome.results);
    pupil_close(&r->pupil);
    questions_free(&r->facts);
}

mneme_status teach_run(const mneme_teach_options *options, char **report_text, mneme_error *error) {
    struct teaching_run r = {.options = options, .settings = teach_default_settings};
    mneme_status status = run(&r, error);
    THEN(report(&r, report_text, error));
    close_run(&r);
    return status;
}

mneme_status teach_rehearse(const mneme_teach_options *options, struct teach_extent *extent,
                            mneme_error *error) {
    mneme_teach_options silent = *options;
    silent.progress = NULL;
    struct teaching_run r = {.options = &silent, .settings = teach_default_settings};
    *extent = (struct teach_extent){0};
    mneme_status status = run(&r, error);
    if (status == MNEME_OK) {
        const struct memory_config *memory = &r.pupil.language.model.config.memory;
        const float read = (float)(r.course.max_tokens * memory->heads * memory->knn);
        *extent = (struct teach_extent){
            .config = r.pupil.language.model.config,
            .n_facts = r.n_new,
            .t = r.settings.t != 0 ? r.settings.t : (size_t)(r.settings.t_share * read),
            .max_steps = r.settings.max_steps,
            .batch_tokens = r.course.max_tokens};
    }
    close_run(&r);
    return status;
}
