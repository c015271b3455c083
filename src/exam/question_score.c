#include "exam/question_score.h"

#include <stdlib.h>
#include <string.h>

#include "base/rehearsal.h"
#include "eval/qa_score.h"
#include "exam/answer_lines.h"
#include "exam/greedy_answers.h"

/* nll [n] of the answers, each the sum over its tokens. */
static mneme_status read_answers(const struct subject *subject, const struct asked_questions *asked,
                                 struct eval_progress *progress, double *nll, mneme_error *error) {
    size_t longest;
    struct scored_span *spans = memory_allocate(asked->n, sizeof *spans);
    if (spans == NULL) return error_set_memory(error, "answers");
    scored_pairs_spans(&asked->pairs, spans, &longest);
    eval_progress_begin(progress, "NLL", asked->file, "answers", asked->n);
    mneme_status status =
        eval_progress_shared(progress, subject->model, asked->n, spans, nll, error);
    free(spans);
    return status;
}

/* Adds what was said to question i to the sums. */
static mneme_status score_answer(const struct asked_questions *asked, size_t i, const char *said,
                                 double nll, FILE *answers, mneme_eval_questions *sums,
                                 mneme_error *error) {
    const struct question *question = &asked->set.questions[i];
    struct answer_line line = {.file = asked->file,
                               .prompt = asked->prompts[i],
                               .question = question,
                               .said = said,
                               .answer_nll = nll,
                               .n_tokens = asked->pairs.pairs[i].n_scored};
    TRY(qa_score(said, strlen(said), (const char *const *)question->answers.texts,
                 question->answers.n, &line.f1, &line.exact_match, error));
    sums->f1 += line.f1;
    sums->exact_match += line.exact_match;
    sums->nll += nll / (double)line.n_tokens;
    sums->answer_nll += nll;
    return answers == NULL ? MNEME_OK : answer_line_write(answers, &line, error);
}

static mneme_status score_all(const struct asked_questions *asked, char *const *said,
                              const double *nll, FILE *answers, mneme_eval_questions *result,
                              mneme_error *error) {
    *result = (mneme_eval_questions){
        .file = asked->file, .n = asked->n, .n_shortened = asked->n_shortened};
    for (size_t i = 0; i < asked->n; i++) {
        TRY(score_answer(asked, i, said[i], nll[i], answers, result, error));
    }
    double n = (double)asked->n;
    result->f1 /= n;
    result->exact_match /= n;
    result->nll /= n;
    result->answer_nll /= n;
    return MNEME_OK;
}

mneme_status asked_questions_score(const struct subject *subject,
                                   const struct question_manner *manner,
                                   const struct asked_questions *asked, FILE *answers,
                                   struct eval_progress *progress, mneme_eval_questions *result,
                                   mneme_error *error) {
    char **said = calloc(asked->n, sizeof *said);
    double *nll = calloc(asked->n, sizeof *nll);
    mneme_status status = MNEME_OK;
    if (said == NULL || nll == NULL) status = error_set_memory(error, "answers");
    THEN(rehearsal_ends(
        greedy_answers(subject, asked, manner->max_new_tokens, progress, said, error)));
    if (!manner->answers_alone) {
        THEN(rehearsal_ends(read_answers(subject, asked, progress, nll, error)));
    }
    if (!rehearsal_is_on()) THEN(score_all(asked, said, nll, answers, result, error));
    for (size_t i = 0; said != NULL && i < asked->n; i++) free(said[i]);
    free(said);
    free(nll);
    return status;
}
