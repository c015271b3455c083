#include "exam/examination.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rehearsal.h"
#include "data/questions.h"
#include "exam/choice_score.h"
#include "exam/question_score.h"
#include "exam/text_score.h"
#include "text/form.h"

#define DEFAULT_PROMPT "Question: {question}\nAnswer:"
#define DEFAULT_NEW_TOKENS 32
#define MAX_WINDOW 2048

/* All that is asked, as read from the files. */
struct examination {
    const mneme_eval_options *options;
    struct subject subject;
    struct asking asking;
    struct question_set shots;
    struct question_manner manner;
    struct asked_questions *questions; /* [options->n_questions] */
    struct read_text *texts;           /* [options->n_texts] */
    struct asked_choices *choices;     /* [options->n_choices] */
    size_t window;
    struct file_writer answers; /* stream NULL: not written */
    struct eval_progress progress;
};

static mneme_status refuse(mneme_error *error, const char *option, size_t value, size_t most) {
    return error_set(error, MNEME_BAD_INPUT, "%s is %zu: must be from 1 to %zu", option, value,
                     most);
}

/* Sizes, where the caller leaves them open, and whether they fit the model. */
static mneme_status choose_sizes(struct examination *e, mneme_error *error) {
    const mneme_eval_options *options = e->options;
    size_t most = e->subject.model->config.max_seq_len;
    size_t max_new = options->max_new_tokens, window = options->window;
    if (max_new == 0) max_new = most > DEFAULT_NEW_TOKENS ? DEFAULT_NEW_TOKENS : most - 1;
    if (window == 0) window = most > MAX_WINDOW ? MAX_WINDOW : most;
    if (options->n_questions > 0 && (max_new == 0 || max_new >= most)) {
        return refuse(error, "max-new-tokens", max_new, most - 1);
    }
    if (window > most) return refuse(error, "window", window, most);
    if (options->stride > window) return refuse(error, "stride", options->stride, window);
    e->window = window;
    e->manner.max_new_tokens = max_new;
    e->manner.answers_alone = options->answers_alone;
    return MNEME_OK;
}

static mneme_status read_manner(struct examination *e, mneme_error *error) {
    const mneme_eval_options *options = e->options;
    const char *prompt = options->prompt == NULL ? DEFAULT_PROMPT : options->prompt;
    TRY(asking_read(prompt, "prompt", &e->asking, error));
    if (form_is_chat(e->asking.ask) && e->subject.style == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: no style of chats that mneme knows",
                         options->model);
    }
    e->manner.asking = &e->asking;
    e->manner.n_shots = options->shots;
    e->manner.limit = options->limit;
    if (options->shots_from == NULL) return MNEME_OK;
    TRY(questions_load(options->shots_from, &e->shots, error));
    e->manner.shots = &e->shots;
    if (!e->shots.is_text) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: holds texts, not questions", options->shots_from);
}

/* Room for the files and the results, at least one so that an empty list is no NULL. */
static mneme_status make_room(struct examination *e, mneme_eval_results *results,
                              mneme_error *error) {
    const mneme_eval_options *options = e->options;
    e->questions = calloc(options->n_questions + 1, sizeof *e->questions);
    e->texts = calloc(options->n_texts + 1, sizeof *e->texts);
    e->choices = calloc(options->n_choices + 1, sizeof *e->choices);
    results->questions = calloc(options->n_questions + 1, sizeof *results->questions);
    results->texts = calloc(options->n_texts + 1, sizeof *results->texts);
    results->choices = calloc(options->n_choices + 1, sizeof *results->choices);
    bool fine = e->questions != NULL && e->texts != NULL && e->choices != NULL &&
                results->questions != NULL && results->texts != NULL && results->choices != NULL;
    return fine ? MNEME_OK : error_set_memory(error, "the evaluation");
}

static mneme_status read_files(struct examination *e, mneme_error *error) {
    const mneme_eval_options *options = e->options;
    for (size_t i = 0; i < options->n_questions; i++) {
        TRY(asked_questions_load(&e->questions[i], &e->subject, &e->manner, options->questions[i],
                                 error));
    }
    for (size_t i = 0; i < options->n_texts; i++) {
        TRY(read_text_load(&e->texts[i], options->texts[i], options->limit, error));
    }
    for (size_t i = 0; i < options->n_choices; i++) {
        TRY(asked_choices_load(&e->choices[i], &e->subject, options->choices[i], options->limit,
                               error));
    }
    return MNEME_OK;
}

static mneme_status open_examination(struct examination *e, const struct language_model *language,
                                     mneme_eval_results *results, mneme_error *error) {
    const mneme_eval_options *options = e->options;
    if (options->n_questions + options->n_texts + options->n_choices == 0) {
        return error_set(error, MNEME_BAD_INPUT, "no questions, texts or choices were given");
    }
    TRY(subject_open(&e->subject, language, options->model, error));
    e->subject.special_tokens = options->special_tokens;
    TRY(choose_sizes(e, error));
    TRY(read_manner(e, error));
    TRY(make_room(e, results, error));
    TRY(read_files(e, error));
    return options->answers == NULL || rehearsal_is_on()
               ? MNEME_OK
               : file_writer_open(&e->answers, options->answers, error);
}

static mneme_status compute(struct examination *e, mneme_eval_results *results,
                            mneme_error *error) {
    const mneme_eval_options *options = e->options;
    for (size_t i = 0; i < options->n_questions; i++, results->n_questions++) {
        TRY(asked_questions_score(&e->subject, &e->manner, &e->questions[i], e->answers.stream,
                                  &e->progress, &results->questions[i], error));
    }
    for (size_t i = 0; i < options->n_texts; i++, results->n_texts++) {
        TRY(rehearsal_ends(read_text_score(&e->subject, &e->texts[i], e->window, options->stride,
                                           &e->progress, &results->texts[i], error)));
    }
    for (size_t i = 0; i < options->n_choices; i++, results->n_choices++) {
        TRY(rehearsal_ends(asked_choices_score(&e->subject, &e->choices[i], &e->progress,
                                               &results->choices[i], error)));
    }
    return e->answers.stream == NULL ? MNEME_OK : file_writer_finish(&e->answers, error);
}

static void close_examination(struct examination *e) {
    const mneme_eval_options *options = e->options;
    for (size_t i = 0; e->questions != NULL && i < options->n_questions; i++) {
        asked_questions_free(&e->questions[i]);
    }
    for (size_t i = 0; e->texts != NULL && i < options->n_texts; i++) read_text_free(&e->texts[i]);
    for (size_t i = 0; e->choices != NULL && i < options->n_choices; i++) {
        asked_choices_free(&e->choices[i]);
    }
    free(e->questions);
    free(e->texts);
    free(e->choices);
    questions_free(&e->shots);
    asking_free(&e->asking);
    subject_close(&e->subject);
    file_writer_abandon(&e->answers);
}

/* Bytes of English text that make a token. */
#define BYTES_OF_TOKEN 4.0

static void add_questions(const struct examination *e, const struct asked_questions *asked,
                          struct exam_extent *extent) {
    const double n = (double)asked->n, new_tokens = (double)e->manner.max_new_tokens;
    extent->read_tokens += (double)asked->tokens.n + (double)asked->pairs.tokens.n;
    extent->mean_length += n > 0 ? (double)asked->tokens.n / n : 0.0;
    extent->predicted += n + (double)asked->pairs.tokens.n - (double)asked->tokens.n;
    extent->written_tokens += n * new_tokens;
    extent->written_passes += n > 0 ? new_tokens : 0.0;
}

static struct exam_extent extent_of(const struct examination *e) {
    const mneme_eval_options *options = e->options;
    const size_t n = options->n_questions + options->n_texts + options->n_choices;
    struct exam_extent extent = {0};
    for (size_t i = 0; i < options->n_questions; i++) add_questions(e, &e->questions[i], &extent);
    for (size_t i = 0; i < options->n_texts; i++) {
        double bytes = 0.0;
        for (size_t d = 0; d < e->texts[i].documents.n; d++) {
            bytes += (double)strlen(e->texts[i].documents.texts[d]);
        }
        extent.read_tokens += bytes / BYTES_OF_TOKEN;
        extent.predicted += bytes / BYTES_OF_TOKEN;
        extent.mean_length += (double)e->window;
    }
    for (size_t i = 0; i < options->n_choices; i++) {
        const double tokens = (double)e->choices[i].pairs.tokens.n;
        extent.read_tokens += tokens;
        extent.predicted += tokens / 2.0;
        extent.mean_length += e->choices[i].n > 0 ? tokens / (4.0 * (double)e->choices[i].n) : 0.0;
    }
    extent.mean_length /= (double)(n > 0 ? n : 1);
    return extent;
}

mneme_status examination_rehearse(const struct language_model *language,
                                  const mneme_eval_options *options, struct exam_extent *extent,
                                  mneme_error *error) {
    struct examination e = {.options = options};
    mneme_eval_results results = {0};
    mneme_status status = open_examination(&e, language, &results, error);
    THEN(compute(&e, &results, error));
    if (status == MNEME_OK) *extent = extent_of(&e);
    close_examination(&e);
    examination_free(&results);
    return status;
}

mneme_status examination_run(const struct language_model *language,
                             const mneme_eval_options *options, mneme_eval_results *results,
                             mneme_error *error) {
    struct examination e = {.options = options,
                            .progress = {.call = options->progress, .user = options->user}};
    *results = (mneme_eval_results){0};
    mneme_status status = open_examination(&e, language, results, error);
    THEN(compute(&e, results, error));
    close_examination(&e);
    if (status != MNEME_OK) examination_free(results);
    return status;
}

void examination_free(mneme_eval_results *results) {
    free(results->questions);
    free(results->texts);
    free(results->choices);
    *results = (mneme_eval_results){0};
}
