#include "run/evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rehearsal.h"
#include "eval/answer_likelihood.h"
#include "eval/answerer.h"
#include "eval/held_out.h"
#include "eval/likelihood.h"
#include "eval/qa_score.h"
#include "generate/answer_ends.h"
#include "run/answers.h"

/* Prompts that are continued side by side. */
#define ROWS 256
/* Tokens per pass over the skill texts. */
#define PASS_TOKENS 2048

/* Sums over the questions of one side, in their order. */
struct tally {
    double f1, em, nll;
    size_t n;
    double *nlls; /* of the first answers, a number for each question; NULL: none */
};

/* Questions asked of one model. */
struct questioning {
    const struct experiment *experiment;
    const char *stage;
    struct answerer answerer;
    struct token_list stops; /* tokens that end an answer */
    FILE *answers;           /* NULL: not written */
    size_t done, total;
    bool diverged;       /* a number of the model was not finite */
    size_t first_recent; /* new facts from here on count as recent */
    struct tally recent;
};

static const char *const *strings(char **list) {
    return (const char *const *)list;
}

/* The questions of one side. */
struct side {
    struct questioning *asking;
    const char *set;
    const struct fact_tokens *facts;
    struct tally *tally;
};

/* Scores what was said to fact i. */
static mneme_status score(void *user, size_t i, const char *said, size_t length,
                          mneme_error *error) {
    const struct side *side = user;
    struct questioning *a = side->asking;
    struct tally *tally = side->tally;
    const struct fact *fact = &side->facts->facts[i];
    const double *nll = tally->nlls == NULL ? NULL : &tally->nlls[i];
    double f1, em;
    if (a->experiment->answer_lines) length = answer_length(said, length);
    TRY(qa_score(said, length, strings(fact->answers), fact->n_answers, &f1, &em, error));
    tally->f1 += f1;
    tally->em += em;
    tally->nll += nll == NULL ? 0.0 : *nll;
    tally->n++;
    if (side->facts == &a->experiment->fresh && i >= a->first_recent) {
        a->recent.f1 += f1;
        a->recent.n++;
    }
    const struct answer answer = {side->set, fact, said, length, f1, nll};
    return a->answers == NULL ? MNEME_OK : answers_add(a->answers, &answer, error);
}

/* Asks the first n facts of a side. */
static mneme_status ask(struct side *side, size_t n, mneme_error *error) {
    struct questioning *a = side->asking;
    for (size_t first = 0; first < n; first += ROWS) {
        size_t rows = n - first < ROWS ? n - first : ROWS;
        mneme_status status =
            answerer_ask(&a->answerer, &side->facts->prompts, first, rows, score, side, error);
        status = rehearsal_ends(status);
        a->diverged = status == MNEME_FAILED; /* of what the machine can do wrong: nothing else */
        TRY(status);
        a->done += rows;
        if (a->stage == NULL) continue;
        experiment_progress(a->experiment, a->stage, "questions", a->done, a->total, 0, NULL);
    }
    return MNEME_OK;
}

/* The NLL of the first answers of the first n facts. */
static mneme_status read_answers(struct questioning *a, const struct fact_tokens *facts, size_t n,
                                 struct tally *tally, mneme_error *error) {
    if (!a->experiment->answer_lines) return MNEME_OK;
    tally->nlls = calloc(n + 1, sizeof *tally->nlls);
    if (tally->nlls == NULL) return error_set_memory(error, "the answers");
    mneme_status status = answer_likelihoods(&a->experiment->model, n, &facts->prompts,
                                             &facts->answered, tally->nlls, NULL, NULL, error);
    status = rehearsal_ends(status);
    a->diverged |= status == MNEME_FAILED;
    return status;
}

static mneme_status open_asking(struct questioning *a, mneme_error *error) {
    const struct experiment *e = a->experiment;
    size_t longest = token_texts_longest(&e->known.prompts);
    size_t longest_fresh = token_texts_longest(&e->fresh.prompts);
    const size_t most = e->known.n > e->fresh.n ? e->known.n : e->fresh.n;
    TRY(experiment_answer_ends(e, &a->stops, error));
    const struct answerer_settings settings = {
        .tokenizer = e->tokenizer,
        .stops = {a->stops.ids, a->stops.n},
        .max_new = e->recipe.evaluate.max_new_tokens,
        .longest = longest > longest_fresh ? longest : longest_fresh,
        .n_rows = most < ROWS ? most + (most == 0) : ROWS};
    return answerer_open(&a->answerer, &e->model, &settings, error);
}

static void close_asking(struct questioning *a) {
    answerer_close(&a->answerer);
    token_list_free(&a->stops);
}

static double mean(double sum, size_t n) {
    return n == 0 ? 0.0 : sum / (double)n;
}

/* Of both sides the NLLs before the answers: each has the model packed in its own way. */
static mneme_status ask_both(struct questioning *a, size_t n_fresh, size_t n_known,
                             struct tally *fresh, struct tally *known, mneme_error *error) {
    const struct experiment *e = a->experiment;
    TRY(read_answers(a, &e->fresh, n_fresh, fresh, error));
    TRY(read_answers(a, &e->known, n_known, known, error));
    TRY(open_asking(a, error));
    TRY(ask(&(struct side){a, "new", &e->fresh, fresh}, n_fresh, error));
    return ask(&(struct side){a, "known", &e->known, known}, n_known, error);
}

/* The first n_fresh new facts and the first n_known known ones (0: all). */
static mneme_status ask_all(struct questioning *a, size_t n_fresh, size_t n_known,
                            struct scores *scores, mneme_error *error) {
    const struct experiment *e = a->experiment;
    if (n_known == 0 || n_known > e->known.n) n_known = e->known.n;
    a->total = n_known + n_fresh;
    struct tally known = {0}, fresh = {0};
    mneme_status status = ask_both(a, n_fresh, n_known, &fresh, &known, error);
    scores->without_new = fresh.n == 0;
    scores->without_known = known.n == 0;
    scores->new_f1 = mean(fresh.f1, fresh.n);
    scores->new_em = mean(fresh.em, fresh.n);
    scores->known_f1 = mean(known.f1, known.n);
    scores->known_em = mean(known.em, known.n);
    scores->has_answer_nll = e->answer_lines;
    scores->new_nll = mean(fresh.nll, fresh.n);
    scores->known_nll = mean(known.nll, known.n);
    free(fresh.nlls);
    free(known.nlls);
    return status;
}

/* Reads the model the skill's texts. */
static mneme_status find_nll(struct pass *pass, struct batch_builder *builder,
                             const struct experiment *e, struct scores *scores,
                             mneme_error *error) {
    float nll = 0.0f;
    mneme_status status = likelihood_nll(pass, builder, &e->skill_test, &nll, error);
    scores->diverged = status != MNEME_OK || !isfinite(nll); /* a pass fails for nothing else */
    if (status != MNEME_OK) return status;
    if (scores->diverged) return error_set(error, MNEME_FAILED, "the skill's NLL is not finite");
    scores->skill_nll = (double)nll;
    return MNEME_OK;
}

static mneme_status read_skill(const struct experiment *e, struct scores *scores,
                               mneme_error *error) {
    struct pass pass = {0};
    struct batch_builder builder = {0};
    size_t tokens = token_texts_longest(&e->skill_test);
    if (tokens < PASS_TOKENS) tokens = PASS_TOKENS;
    scores->without_skill = e->skill_test.n == 0;
    if (scores->without_skill) return MNEME_OK;
    mneme_status status = pass_open(&pass, &e->model, tokens, false, error);
    THEN(pass_pack(&pass, e->model.config.n_layers, error));
    THEN(batch_builder_open(&builder, tokens, error));
    THEN(rehearsal_ends(find_nll(&pass, &builder, e, scores, error)));
    batch_builder_close(&builder);
    pass_close(&pass);
    return status;
}

/* What reading tells of. */
struct telling {
    const struct experiment *experiment;
    const char *stage;
};

static void tell_windows(size_t done, size_t total, void *context) {
    const struct telling *telling = context;
    experiment_progress(telling->experiment, telling->stage, "windows of text", done, total, 0,
                        NULL);
}

/* Reads the model the held-out text. */
static mneme_status read_text(const struct experiment *e, const char *stage, struct scores *scores,
                              mneme_error *error) {
    struct telling telling = {e, stage};
    const struct held_out held_out = {.text = &e->held_out_text,
                                      .max_tokens = e->recipe.evaluate.held_out_tokens,
                                      .progress = stage == NULL ? NULL : tell_windows,
                                      .context = &telling};
    scores->has_text = e->held_out_text.n_tokens > 0;
    if (!scores->has_text) return MNEME_OK;
    mneme_status status =
        rehearsal_ends(held_out_nll(&held_out, &e->model, &scores->text_nll, error));
    scores->diverged |= status == MNEME_FAILED;
    return status;
}

/* How many of the multiple-choice questions the model answers right, of all files together. */
static mneme_status choose_endings(const struct experiment *e, const char *stage,
                                   struct scores *scores, mneme_error *error) {
    struct eval_progress progress = {.call = stage == NULL ? NULL : e->progress, .user = e->user};
    double n = 0.0, right = 0.0, right_norm = 0.0;
    scores->has_choices = e->choices.n > 0;
    for (size_t i = 0; i < e->choices.n; i++) {
        mneme_eval_choices found;
        mneme_status status = rehearsal_ends(asked_choices_score(
            &e->choices.subject, &e->choices.files[i], &progress, &found, error));
        scores->diverged |= status == MNEME_FAILED;
        TRY(status);
        n += (double)found.n;
        right += nearbyint(found.acc * (double)found.n);
        right_norm += nearbyint(found.acc_norm * (double)found.n);
    }
    if (!scores->has_choices) return MNEME_OK;
    scores->choices_acc = right / n;
    scores->choices_acc_norm = right_norm / n;
    return MNEME_OK;
}

/* All that is no question of a fact. */
static mneme_status read_held_out(const struct experiment *e, const char *stage,
                                  struct scores *scores, mneme_error *error) {
    TRY(read_skill(e, scores, error));
    TRY(read_text(e, stage, scores, error));
    return choose_endings(e, stage, scores, error);
}

mneme_status evaluation_run(const struct experiment *experiment, const char *stage, FILE *answers,
                            struct scores *scores, mneme_error *error) {
    struct questioning asking = {.experiment = experiment, .stage = stage, .answers = answers};
    size_t n_known = experiment->recipe.evaluate.known_questions;
    *scores = (struct scores){0};
    mneme_status status = ask_all(&asking, experiment->fresh.n, n_known, scores, error);
    scores->diverged = asking.diverged;
    close_asking(&asking);
    THEN(read_held_out(experiment, stage, scores, error));
    return status;
}

mneme_status evaluation_of_stream(const struct experiment *experiment, size_t n_taught,
                                  size_t first_recent, struct scores *scores, double *recent_f1,
                                  mneme_error *error) {
    struct questioning asking = {.experiment = experiment, .first_recent = first_recent};
    size_t n_known = experiment->recipe.finetune.stream_questions;
    *scores = (struct scores){0};
    mneme_status status = ask_all(&asking, n_taught, n_known, scores, error);
    *recent_f1 = mean(asking.recent.f1, asking.recent.n);
    scores->diverged = asking.diverged;
    close_asking(&asking);
    THEN(read_held_out(experiment, NULL, scores, error));
    return status;
}
