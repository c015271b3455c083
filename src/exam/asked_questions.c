#include "exam/asked_questions.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/questions.h"

static mneme_status refuse_shots(const struct asked_questions *asked,
                                 const struct question_manner *manner, size_t n,
                                 mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: %zu examples were asked for, there are %zu",
                     asked->file, manner->n_shots, n);
}

/* Examples for question i: the first of their file that are not the question itself. */
static mneme_status choose_shots(const struct asked_questions *asked, size_t i,
                                 const struct question_manner *manner, struct shot *shots,
                                 mneme_error *error) {
    const struct question_set *from = manner->shots != NULL ? manner->shots : &asked->set;
    const char *question = asked->set.questions[i].question;
    size_t n = 0;
    for (size_t k = 0; k < from->n && n < manner->n_shots; k++) {
        const struct question *other = &from->questions[k];
        if (strcmp(other->question, question) == 0) continue;
        shots[n++] = (struct shot){other->question, other->answers.texts[0]};
    }
    return n == manner->n_shots ? MNEME_OK : refuse_shots(asked, manner, n, error);
}

/* What the model should say: the first answer, or, of GSM8K, the way to it. */
static const char *target_of(const struct question *question) {
    return question->explanation != NULL ? question->explanation : question->answers.texts[0];
}

/* The prompt's tokens, of which the last that leave room for an answer are kept. */
static mneme_status add_prompt(struct asked_questions *asked, const struct subject *subject,
                               const struct question_manner *manner, const char *prompt,
                               mneme_error *error) {
    struct token_list ids = {0};
    size_t most = subject->model->config.max_seq_len - manner->max_new_tokens;
    mneme_status status = token_list_append(&ids, subject->before.ids, subject->before.n, error);
    THEN(subject_encode(subject, prompt, &ids, error));
    if (status == MNEME_OK && ids.n == 0) {
        status = token_list_append(&ids, &subject->prefix, subject->prefix != TOKEN_NONE, error);
    }
    size_t kept = ids.n > most ? most : ids.n;
    asked->n_shortened += kept < ids.n;
    THEN(token_list_append(&asked->tokens, ids.ids + (ids.n - kept), kept, error));
    token_list_free(&ids);
    return status;
}

static mneme_status add_question(struct asked_questions *asked, const struct subject *subject,
                                 const struct question_manner *manner, size_t i, struct shot *shots,
                                 mneme_error *error) {
    const struct question *question = &asked->set.questions[i];
    struct text target = {0}, place = {0};
    TRY(choose_shots(asked, i, manner, shots, error));
    TRY(asking_prompt(manner->asking, manner->n_shots, shots, question->question,
                      &asked->prompts[i], error));
    TRY(add_prompt(asked, subject, manner, asked->prompts[i], error));
    asked->starts[i + 1] = asked->tokens.n;
    text_add(&target, "%s%s", manner->asking->lead, target_of(question));
    text_add(&place, "%s: the answer of question %zu", asked->file, i + 1);
    char *continuation = text_take(&target), *where = text_take(&place);
    mneme_status status = MNEME_OK;
    if (continuation == NULL || where == NULL) status = error_set_memory(error, "a question");
    THEN(scored_pairs_add(&asked->pairs, subject, asked->prompts[i], continuation, where, error));
    free(continuation);
    free(where);
    return status;
}

static mneme_status add_questions(struct asked_questions *asked, const struct subject *subject,
                                  const struct question_manner *manner, mneme_error *error) {
    size_t n = asked->set.n;
    size_t n_examples = manner->shots != NULL ? manner->shots->n : n - 1;
    if (manner->n_shots > n_examples) return refuse_shots(asked, manner, n_examples, error);
    asked->n = manner->limit == 0 || manner->limit > n ? n : manner->limit;
    asked->prompts = calloc(asked->n, sizeof *asked->prompts);
    asked->starts = calloc(asked->n + 1, sizeof *asked->starts);
    struct shot *shots = calloc(manner->n_shots + 1, sizeof *shots);
    mneme_status status = MNEME_OK;
    if (asked->prompts == NULL || asked->starts == NULL || shots == NULL) {
        status = error_set_memory(error, "questions");
    }
    for (size_t i = 0; status == MNEME_OK && i < asked->n; i++) {
        status = add_question(asked, subject, manner, i, shots, error);
    }
    free(shots);
    return status;
}

mneme_status asked_questions_load(struct asked_questions *asked, const struct subject *subject,
                                  const struct question_manner *manner, const char *file,
                                  mneme_error *error) {
    *asked = (struct asked_questions){.file = file};
    mneme_status status = questions_load(file, &asked->set, error);
    if (status == MNEME_OK && asked->set.is_text) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: holds texts, not questions", file);
    }
    THEN(add_questions(asked, subject, manner, error));
    if (status != MNEME_OK) asked_questions_free(asked);
    return status;
}

void asked_questions_free(struct asked_questions *asked) {
    for (size_t i = 0; asked->prompts != NULL && i < asked->n; i++) free(asked->prompts[i]);
    free(asked->prompts);
    free(asked->starts);
    token_list_free(&asked->tokens);
    scored_pairs_free(&asked->pairs);
    questions_free(&asked->set);
    *asked = (struct asked_questions){0};
}
