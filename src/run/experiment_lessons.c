/* How the model is spoken to: what teaches it the new facts, and common questions. */

#include <stdlib.h>

#include "base/random.h"
#include "base/text.h"
#include "data/questions.h"
#include "lesson/lesson.h"
#include "run/experiment.h"
#include "text/form.h"

static bool learns_answers(const struct experiment *experiment) {
    return experiment->recipe.finetune.loss_on == LOSS_ON_ANSWER;
}

/* The recipe's ways to ask and to put things, once. */
static mneme_status open_voice(struct experiment *e, mneme_error *error) {
    const struct recipe *recipe = &e->recipe;
    const struct path place = path_in("", "%s: key `evaluate.prompt`", recipe->path);
    if (e->voice.tokenizer != NULL) return MNEME_OK;
    e->voice.tokenizer = e->tokenizer;
    e->voice.manner = experiment_manner(e);
    TRY(asking_read(recipe->evaluate.prompt, place.text, &e->voice.asking, error));
    return wordings_load(recipe->corpus.wordings, &e->voice.wordings, error);
}

PATH_OUT_OF_LINE mneme_status experiment_open_common(struct experiment *e, mneme_error *error) {
    const char *path = e->recipe.corpus.common;
    struct question_set set = {0};
    if (path == NULL) return MNEME_OK;
    TRY(open_voice(e, error));
    TRY(questions_load(path, &set, error));
    mneme_status status =
        set.is_text || set.n == 0
            ? error_set(error, MNEME_BAD_INPUT,
                        "%s: key `corpus.common`: %s has no questions with answers", e->recipe.path,
                        path)
            : common_texts_open(&e->common, &e->voice, &set, e->recipe.seed, error);
    questions_free(&set);
    return status;
}

/* Adds the texts of a lesson, as they are. */
static mneme_status take_texts(struct lessons *lessons, const struct lesson *lesson,
                               mneme_error *error) {
    const struct token_texts *texts = &lesson->texts;
    for (size_t i = 0; i < texts->n; i++) {
        const int32_t *ids = texts->tokens.ids + texts->starts[i];
        TRY(token_texts_add_ids(&lessons->texts, ids, texts->lengths[i] + 1, error));
    }
    const size_t n = lessons->texts.n;
    size_t *targets = realloc(lessons->first_targets, n * sizeof *targets);
    if (targets == NULL) return error_set_memory(error, "the facts");
    lessons->first_targets = targets;
    for (size_t i = 0; i < texts->n; i++) targets[n - texts->n + i] = lesson->first_targets[i];
    return MNEME_OK;
}

/* Adds what teaches a new question's answer. */
static mneme_status add_answers(struct experiment *e, size_t number, mneme_error *error) {
    const struct fact *fact = &e->corpus.fresh[number];
    struct question record = {.question = fact->question,
                              .answers = {.texts = fact->answers, .n = fact->n_answers},
                              .statements = {.texts = fact->texts, .n = fact->n_statements}};
    const size_t wanted = e->recipe.finetune.wordings, most = wanted > 0 ? wanted : SIZE_MAX;
    struct lesson lesson;
    TRY(open_voice(e, error));
    TRY(lesson_open(&lesson, &e->voice, &record, most, e->recipe.seed, error));
    mneme_status status = take_texts(&e->lessons, &lesson, error);
    lesson_close(&lesson);
    return status;
}

/* A fact is a lesson, or else a document's chunk. */
static struct corpus_lesson lesson_of(const struct corpus *corpus, size_t i) {
    if (corpus->n_lessons > 0) return corpus->lessons[i];
    return (struct corpus_lesson){corpus->fresh[i].texts, corpus->fresh[i].n_texts, 1};
}

/* Says what of the wordings is not taught as it stands. */
static mneme_status note_lost(struct experiment *experiment, const struct texts_lost *lost,
                              size_t max_inputs, mneme_error *error) {
    struct text_list *notes = &experiment->corpus.notes;
    struct text note = {0};
    if (lost->n_cut > 0) {
        text_add(&note, "wordings of more than %zu tokens, cut there: %zu", max_inputs,
                 lost->n_cut);
        TRY(text_list_add(notes, text_take(&note), error));
    }
    if (lost->n_chats == 0) return MNEME_OK;
    text_add(&note,
             "wordings that are chats, left out since how the model writes chats is not "
             "known: %zu",
             lost->n_chats);
    return text_list_add(notes, text_take(&note), error);
}

/* Puts as many of the fact's wordings as the recipe wants, drawn of those that the model can read,
 * after its statements into `drawn`, which has room for all; how many texts there are then. */
static size_t draw_texts(const struct experiment *e, size_t number, uint32_t *order, char **drawn) {
    const struct fact *fact = &e->corpus.fresh[number];
    const size_t first = fact->n_statements, n = fact->n_texts - first,
                 wanted = e->recipe.finetune.wordings;
    random_permutation(e->recipe.seed, RANDOM_STREAM_WORDINGS, (uint64_t)number << 32, n, order);
    for (size_t i = 0; i < first; i++) drawn[i] = fact->texts[i];
    size_t taken = first;
    for (size_t i = 0; i < n && taken < first + wanted; i++) {
        char *text = fact->texts[first + order[i]];
        if (e->texts.style != NULL || !form_is_chat(text)) drawn[taken++] = text;
    }
    return taken;
}

/* Adds texts: cut where the recipe has wordings or a length of its own. */
static mneme_status add_texts(struct experiment *e, size_t n, char *const *texts,
                              struct texts_lost *lost, mneme_error *error) {
    const struct text_manner manner = experiment_manner(e);
    struct token_texts *to = &e->lessons.texts;
    if (!experiment_is_worded(e) && e->recipe.finetune.sequence_length == 0) {
        return token_texts_add(to, e->tokenizer, n, texts, e->recipe.model.max_seq_len, error);
    }
    return token_texts_add_in(to, e->tokenizer, &manner, n, texts, lost, error);
}

static mneme_status add_drawn(struct experiment *e, size_t number, struct texts_lost *lost,
                              mneme_error *error) {
    const size_t n = e->corpus.fresh[number].n_texts;
    char **drawn = malloc((n + 1) * sizeof *drawn);
    uint32_t *order = malloc((n + 1) * sizeof *order);
    mneme_status status =
        drawn == NULL || order == NULL
            ? error_set_memory(error, "the wordings")
            : add_texts(e, draw_texts(e, number, order, drawn), drawn, lost, error);
    free(drawn);
    free(order);
    return status;
}

/* Adds the texts of a lesson. */
static mneme_status add_lesson(struct experiment *e, size_t number, struct texts_lost *lost,
                               mneme_error *error) {
    const struct corpus_lesson lesson = lesson_of(&e->corpus, number);
    const size_t before = e->lessons.texts.n;
    if (learns_answers(e)) return add_answers(e, number, error);
    TRY(e->recipe.finetune.wordings > 0 ? add_drawn(e, number, lost, error)
                                        : add_texts(e, lesson.n_texts, lesson.texts, lost, error));
    if (e->lessons.texts.n > before) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: key `corpus.wordings`: no wording that teaches fact %zu is left%s",
                     e->recipe.path, number + 1,
                     lost->n_chats > 0 ? ", since how the model writes chats is not known" : "");
}

mneme_status experiment_open_lessons(struct experiment *experiment, mneme_error *error) {
    const struct corpus *corpus = &experiment->corpus;
    const bool are_facts = corpus->n_lessons == 0;
    struct lessons *lessons = &experiment->lessons;
    struct texts_lost lost = {0};
    lessons->n = are_facts ? corpus->n_fresh : corpus->n_lessons;
    lessons->unit = are_facts ? "facts" : "chunks";
    lessons->first_text = calloc(lessons->n + 1, sizeof *lessons->first_text);
    lessons->first_fact = calloc(lessons->n + 1, sizeof *lessons->first_fact);
    if (lessons->first_text == NULL || lessons->first_fact == NULL) {
        return error_set_memory(error, "the facts");
    }
    for (size_t i = 0; i < lessons->n; i++) {
        TRY(add_lesson(experiment, i, &lost, error));
        lessons->first_text[i + 1] = lessons->texts.n;
        lessons->first_fact[i + 1] = lessons->first_fact[i] + lesson_of(corpus, i).n_facts;
    }
    return note_lost(experiment, &lost, experiment_manner(experiment).max_inputs, error);
}
