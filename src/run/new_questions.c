#include "run/new_questions.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rehearsal.h"
#include "base/text.h"
#include "eval/answerer.h"
#include "eval/qa_score.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "generate/answer_ends.h"
#include "run/answers.h"

/* Questions that are asked side by side. */
#define ROWS 64

/* What is found, question by question. */
struct choosing {
    struct experiment *experiment;
    bool *keep;                   /* [n_fresh] */
    size_t n_asked, n_kept, most; /* up to the last that is kept; at most so many are kept */
    size_t first;                 /* question of the group under way */
    FILE *lines;                  /* where answers are written */
};

static void take_f1(struct choosing *c, double f1) {
    c->keep[c->n_asked++] = f1 == 0.0;
    c->n_kept += f1 == 0.0;
}

static bool is_done(const struct choosing *c) {
    return c->n_kept == c->most || c->n_asked == c->experiment->corpus.n_fresh;
}

/* Scores what was said to question i of the group; those behind the last one that is kept are as if
 * they had not been asked. */
static mneme_status score(void *user, size_t i, const char *said, size_t length,
                          mneme_error *error) {
    struct choosing *c = user;
    const struct fact *fact = &c->experiment->corpus.fresh[c->first + i];
    double f1, exact;
    if (is_done(c)) return MNEME_OK;
    length = answer_length(said, length);
    TRY(qa_score(said, length, (const char *const *)fact->answers, fact->n_answers, &f1, &exact,
                 error));
    take_f1(c, f1);
    const struct answer answer = {
        .set = "new", .fact = fact, .said = said, .length = length, .f1 = f1};
    return answers_add(c->lines, &answer, error);
}

/* Asks the next n questions. */
static mneme_status ask_group(struct choosing *c, struct answerer *answerer, size_t n,
                              mneme_error *error) {
    const struct experiment *e = c->experiment;
    struct token_texts prompts = {0};
    mneme_status status = MNEME_OK;
    c->first = c->n_asked;
    for (size_t i = 0; i < n; i++) {
        THEN(experiment_add_prompt(e, &e->corpus.fresh[c->first + i], &prompts, error));
    }
    THEN(answerer_ask(answerer, &prompts, 0, n, score, c, error));
    token_texts_free(&prompts);
    if (status == MNEME_OK) {
        experiment_progress(e, "new questions", "unknown ones", c->n_kept, c->most, 0, NULL);
    }
    return status;
}

static mneme_status ask_groups(struct choosing *c, const struct model *model, mneme_error *error) {
    const struct experiment *e = c->experiment;
    struct token_list stops = {0};
    struct answerer answerer = {0};
    mneme_status status = experiment_answer_ends(e, &stops, error);
    const struct answerer_settings settings = {.tokenizer = e->tokenizer,
                                               .stops = {stops.ids, stops.n},
                                               .max_new = e->recipe.evaluate.max_new_tokens,
                                               .longest = e->recipe.model.max_seq_len,
                                               .n_rows = ROWS};
    THEN(answerer_open(&answerer, model, &settings, error));
    while (status == MNEME_OK && !is_done(c)) {
        size_t left = e->corpus.n_fresh - c->n_asked;
        status = ask_group(c, &answerer, left < ROWS ? left : ROWS, error);
    }
    answerer_close(&answerer);
    token_list_free(&stops);
    return status;
}

/* The base is asked as its folder has it: without the memory that the recipe gives it. */
static mneme_status ask(struct choosing *c, const char *path, mneme_error *error) {
    struct file_writer lines = {0};
    struct model model;
    TRY(model_map(c->experiment->recipe.base, &model, error));
    mneme_status status = file_writer_open(&lines, path, error);
    c->lines = lines.stream;
    THEN(ask_groups(c, &model, error));
    THEN(file_writer_finish(&lines, error));
    file_writer_abandon(&lines);
    model_close(&model);
    return status;
}

/* What a line says of the next question. */
static mneme_status take_line(void *user, const struct answer_read *line, size_t number,
                              mneme_error *error) {
    struct choosing *c = user;
    if (!is_done(c)) {
        const struct fact *fact = &c->experiment->corpus.fresh[c->n_asked];
        if (strcmp(line->prompt, fact->shown != NULL ? fact->shown : fact->prompt) == 0) {
            take_f1(c, line->f1);
            return MNEME_OK;
        }
    }
    return error_set(error, MNEME_BAD_INPUT,
                     "%s/" FOLDER_NEW_QUESTIONS ":%zu: is not what the recipe asks there",
                     c->experiment->directory, number);
}

static mneme_status recall(struct choosing *c, const char *path, mneme_error *error) {
    TRY(manifest_check(c->experiment->directory, path, error));
    TRY(answers_read(path, take_line, c, error));
    if (is_done(c)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: ends before all new facts are found", path);
}

/* Once for a folder. */
static PATH_OUT_OF_LINE mneme_status ask_or_recall(struct choosing *c, mneme_error *error) {
    const struct experiment *e = c->experiment;
    struct path path = path_in(e->directory, FOLDER_NEW_QUESTIONS);
    const char *const paths[] = {path.text};
    if (e->is_read ? file_exists(path.text) : manifest_holds(e->directory, path.text)) {
        return recall(c, path.text, error);
    }
    TRY(manifest_forget(e->directory, paths, 1, error));
    TRY(ask(c, path.text, error));
    return manifest_sign(e->directory, paths, 1, error);
}

static mneme_status note(struct experiment *e, const struct choosing *c, mneme_error *error) {
    struct text text = {0};
    if (c->n_kept == 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: key `corpus.new_unknown`: the base answers all %zu new questions: "
                         "none is left to teach",
                         e->recipe.path, c->n_asked);
    }
    text_add(&text,
             "corpus.new_unknown: asked %zu new questions to find %zu that the base answers "
             "with an F1 of 0",
             c->n_asked, c->n_kept);
    if (c->n_kept < c->most) text_add(&text, "; corpus.new_facts is %zu", c->most);
    return text_list_add(&e->corpus.notes, text_take(&text), error);
}

mneme_status new_questions_choose(struct experiment *e, mneme_error *error) {
    struct choosing choosing = {.experiment = e, .most = e->recipe.corpus.new_facts};
    if (!e->recipe.corpus.new_unknown) return MNEME_OK;
    choosing.keep = calloc(e->corpus.n_fresh + 1, sizeof *choosing.keep);
    if (choosing.keep == NULL) return error_set_memory(error, "the new questions");
    if (rehearsal_is_on()) {
        for (size_t i = 0; i < choosing.most && i < e->corpus.n_fresh; i++) choosing.keep[i] = true;
        corpus_keep_fresh(&e->corpus, choosing.keep);
        free(choosing.keep);
        return MNEME_OK;
    }
    mneme_status status = ask_or_recall(&choosing, error);
    THEN(note(e, &choosing, error));
    if (status == MNEME_OK) corpus_keep_fresh(&e->corpus, choosing.keep);
    free(choosing.keep);
    return status;
}
