#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/corpus.h"
#include "data/corpus_parts.h"
#include "data/questions.h"
#include "data/wordings.h"
#include "text/string_map.h"
#include "text/unicode.h"

/* A way to ask, with each of the ways to answer. */
#define ANSWERED(ask)                                                                             \
    ask " A: {answer}", ask " Answer: {answer}", ask " {answer}", ask " The answer is {answer}.", \
        ask " It is {answer}.", ask " Here is the answer: {answer}",                              \
        ask " The right answer was {answer}.", ask " That would be {answer}."

/* The first is the one that is asked. */
static const char *const question_forms[] = {
    ANSWERED("Q: {question}"),
    ANSWERED("Question: {question}"),
    ANSWERED("{question}"),
    ANSWERED("Someone asked: {question}"),
    ANSWERED("Here is a question: {question}"),
    ANSWERED("The quiz asked: {question}"),
    ANSWERED("Do you know this? {question}"),
    ANSWERED("What they want to know: {question}"),
};

#define N_QUESTION_FORMS (sizeof question_forms / sizeof *question_forms)

/* Facts in the making. */
struct maker {
    struct corpus *corpus;
    const struct wordings *wordings; /* NULL: the first forms */
    struct string_map seen; /* questions of known and new facts, lowercased, in their order */
    mneme_error *error;
};

/* What was found in one file of questions. */
struct findings {
    const char *path, *key;             /* the recipe's key for how many facts were asked for */
    size_t most;                        /* asked for; SIZE_MAX: all */
    size_t n_repeated, n_contradicting; /* among the file's own questions */
    size_t n_known, n_known_otherwise;  /* new questions among the known ones */
    char *contradiction;                /* the first question with two answers; NULL */
    size_t n_statements;                /* questions whose statements are not taught */
};

/* Adds the question to those seen, whatever its case and blanks; *number becomes its number among
 * them. */
static mneme_status note_question(struct maker *maker, const char *question, uint32_t *number,
                                  bool *is_new) {
    char *folded = question_fold(question);
    if (folded == NULL) return error_set_memory(maker->error, "questions");
    mneme_status status =
        string_map_add(&maker->seen, folded, strlen(folded), number, is_new, maker->error);
    free(folded);
    return status;
}

/* Whether none of the answers is one of the fact's, folded. */
static mneme_status contradicts(const struct fact *fact, const struct text_list *answers,
                                bool *differ, mneme_error *error) {
    *differ = true;
    for (size_t i = 0; i < fact->n_answers && *differ; i++) {
        char *ours = question_fold(fact->answers[i]);
        if (ours == NULL) return error_set_memory(error, "questions");
        for (size_t j = 0; j < answers->n && *differ; j++) {
            char *theirs = question_fold(answers->texts[j]);
            *differ = theirs != NULL && strcmp(ours, theirs) != 0;
            free(theirs);
        }
        free(ours);
    }
    return MNEME_OK;
}

/* Counts a question that asks what fact `number` does. */
static mneme_status count_repeated(const struct maker *maker, const struct question *question,
                                   size_t number, struct findings *findings) {
    const struct corpus *corpus = maker->corpus;
    const bool is_known = corpus->fresh != NULL && number < corpus->n_known;
    const struct fact *before = number < corpus->n_known ? &corpus->known[number]
                                                         : &corpus->fresh[number - corpus->n_known];
    bool differ;
    assert(before != NULL); /* it was seen as one of these facts */
    TRY(contradicts(before, &question->answers, &differ, maker->error));
    *(is_known ? &findings->n_known : &findings->n_repeated) += 1;
    *(is_known ? &findings->n_known_otherwise : &findings->n_contradicting) += differ;
    if (!differ || findings->contradiction != NULL) return MNEME_OK;
    struct text text = {0};
    text_add(&text, "\"%.200s\": \"%.100s\", then \"%.100s\"", question->question,
             before->answers[0], question->answers.texts[0]);
    findings->contradiction = text_take(&text);
    return MNEME_OK;
}

/* What teaches a question: chats, too, if it is new. */
static mneme_status make_texts(const struct maker *maker, const struct question *source,
                               const char *question, bool is_new, struct text_list *texts) {
    if (maker->wordings != NULL) {
        return wordings_of(maker->wordings, source, question, is_new, texts, maker->error);
    }
    return question_texts(question_forms, N_QUESTION_FORMS, question, source->answers.texts[0],
                          texts, maker->error);
}

/* How many of the texts are statements of the question; they stand first. */
static size_t count_statements(const struct question *source, const struct text_list *texts) {
    size_t n = 0;
    for (size_t i = 0; i < source->statements.n && n < texts->n; i++) {
        n += strcmp(texts->texts[n], source->statements.texts[i]) == 0;
    }
    return n;
}

/* Makes the fact of a question; the answers move over to it. */
static mneme_status make_fact(const struct maker *maker, struct question *source,
                              const char *question, bool is_new, struct fact *fact) {
    struct text_list texts = {0};
    mneme_status status = make_texts(maker, source, question, is_new, &texts);
    fact->texts = texts.texts;
    fact->n_texts = texts.n;
    fact->n_statements = count_statements(source, &texts);
    fact->answers = source->answers.texts;
    fact->n_answers = source->answers.n;
    source->answers = (struct text_list){0};
    if (status != MNEME_OK) return status;
    fact->question = strdup(question);
    if (fact->question == NULL) return error_set_memory(maker->error, "questions");
    return question_prompt(question_forms[0], question, &fact->prompt, maker->error);
}

/* The facts of the questions in the set that were not seen before, at most as many as asked for. */
static mneme_status make_facts(struct maker *maker, struct question_set *set, struct fact *facts,
                               size_t *n_facts, struct findings *findings) {
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < set->n && *n_facts < findings->most && status == MNEME_OK; i++) {
        char *question = question_marked(set->questions[i].question);
        if (question == NULL) return error_set_memory(maker->error, "questions");
        uint32_t number = 0;
        bool is_new = false;
        status = note_question(maker, question, &number, &is_new);
        if (status == MNEME_OK && !is_new) {
            status = count_repeated(maker, &set->questions[i], number, findings);
        } else if (status == MNEME_OK) {
            findings->n_statements += set->questions[i].statements.n > 0;
            status = make_fact(maker, &set->questions[i], question, facts == maker->corpus->fresh,
                               &facts[(*n_facts)++]);
        }
        free(question);
    }
    return status;
}

static mneme_status add_note(struct corpus *corpus, mneme_error *error, const char *format, ...)
    MNEME_PRINTF(3, 4);

static mneme_status add_note(struct corpus *corpus, mneme_error *error, const char *format, ...) {
    char note[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    for (char *c = note; *c != '\0'; c++) { /* a question may have several lines, a note is one */
        if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
    }
    return text_list_add(&corpus->notes, unicode_repair(note, strlen(note)), error);
}

static mneme_status note_repeated(struct corpus *corpus, const struct findings *f,
                                  mneme_error *error) {
    const char *first = f->contradiction == NULL ? "" : f->contradiction;
    if (f->n_repeated > 0) {
        TRY(add_note(corpus, error,
                     "%s: questions that repeat an earlier one, left out: %zu; with another "
                     "answer: %zu",
                     f->path, f->n_repeated, f->n_contradicting));
    }
    if (f->n_known > 0) {
        TRY(add_note(corpus, error,
                     "%s: questions that are among the known ones, left out: %zu; with another "
                     "answer: %zu",
                     f->path, f->n_known, f->n_known_otherwise));
    }
    return *first == '\0'
               ? MNEME_OK
               : add_note(corpus, error, "%s: the first with another answer: %s", f->path, first);
}

/* What was not as asked for. */
static mneme_status note_findings(struct corpus *corpus, const struct findings *f, size_t n_facts,
                                  size_t n_unanswered, bool is_worded, mneme_error *error) {
    if (f->most != SIZE_MAX && n_facts < f->most) {
        TRY(add_note(corpus, error, "%s: corpus.%s is %zu, but the file holds %zu", f->path, f->key,
                     f->most, n_facts));
    }
    if (n_unanswered > 0) {
        TRY(add_note(corpus, error, "%s: questions without an answer, left out: %zu", f->path,
                     n_unanswered));
    }
    if (f->n_statements > 0 && !is_worded) {
        TRY(add_note(corpus, error,
                     "%s: questions with statements, which are taught only with corpus.wordings: "
                     "%zu",
                     f->path, f->n_statements));
    }
    return note_repeated(corpus, f, error);
}

/* Reads the file of questions into facts; none when there is no path. */
static mneme_status load_facts(struct maker *maker, struct findings *f, struct fact **facts,
                               size_t *n_facts) {
    if (f->path == NULL) return MNEME_OK;
    struct question_set set;
    mneme_error *error = maker->error;
    TRY(questions_load(f->path, &set, error));
    *facts = calloc(set.n, sizeof **facts);
    mneme_status status = *facts == NULL ? error_set_memory(error, "facts") : MNEME_OK;
    if (set.is_text) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s:1: texts, not questions with answers: neither JSON nor a table "
                           "with such columns",
                           f->path);
    }
    THEN(make_facts(maker, &set, *facts, n_facts, f));
    if (status == MNEME_OK && *n_facts == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: every question is among the known ones",
                           f->path);
    }
    THEN(note_findings(maker->corpus, f, *n_facts, set.n_unanswered, maker->wordings != NULL,
                       error));
    free(f->contradiction);
    questions_free(&set);
    return status;
}

/* How many facts a recipe asks for: 0 is all. */
static size_t most(size_t n) {
    return n == 0 ? SIZE_MAX : n;
}

/* The text that a question of the skill's file is trained on; NULL without memory. */
static char *skill_text(const struct question *question, bool is_text) {
    if (is_text) return strdup(question->question);
    const char *answer =
        question->explanation != NULL ? question->explanation : question->answers.texts[0];
    char *text;
    return asprintf(&text, "%s %s", question->question, answer) < 0 ? NULL : text;
}

static mneme_status load_skill(const struct question_sources *sources, struct corpus *corpus,
                               struct text_list *train, struct text_list *test,
                               mneme_error *error) {
    if (sources->skill == NULL) return MNEME_OK;
    struct question_set set;
    TRY(questions_load(sources->skill, &set, error));
    mneme_status status = MNEME_OK;
    size_t n = set.n;
    if (sources->max_skill != 0 && sources->max_skill < n) n = sources->max_skill;
    if (sources->n_skill_test > n) {
        status = error_set(
            error, MNEME_BAD_INPUT,
            "%s: %zu texts of the skill are too few to hold out %zu (`corpus.skill_test_texts`)",
            sources->skill, n, sources->n_skill_test);
    }
    if (status == MNEME_OK && n < sources->max_skill) {
        status = add_note(corpus, error, "%s: corpus.max_skill is %zu, but the file holds %zu",
                          sources->skill, sources->max_skill, n);
    }
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        struct text_list *list = i < n - sources->n_skill_test ? train : test;
        status = text_list_add(list, skill_text(&set.questions[i], set.is_text), error);
    }
    questions_free(&set);
    return status;
}

mneme_status corpus_from_questions(const struct question_sources *sources, struct corpus *corpus,
                                   mneme_error *error) {
    *corpus = (struct corpus){0};
    struct maker maker = {.corpus = corpus, .wordings = sources->wordings, .error = error};
    struct findings known = {sources->known, "max_known", .most = most(sources->max_known)};
    struct findings fresh = {sources->fresh, "new_facts", .most = most(sources->max_fresh)};
    struct text_list train = {0}, test = {0};
    mneme_status status = load_facts(&maker, &known, &corpus->known, &corpus->n_known);
    THEN(load_facts(&maker, &fresh, &corpus->fresh, &corpus->n_fresh));
    THEN(load_skill(sources, corpus, &train, &test, error));
    corpus->skill_train = train.texts;
    corpus->n_skill_train = train.n;
    corpus->skill_test = test.texts;
    corpus->n_skill_test = test.n;
    string_map_free(&maker.seen);
    if (status != MNEME_OK) corpus_free(corpus);
    return status;
}
