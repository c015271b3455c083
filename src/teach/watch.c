#include "teach/watch.h"

#include "base/rehearsal.h"
#include "eval/likelihood.h"
#include "exam/examination.h"

/* Sequences of the held-out text side by side. */
#define PASS_TOKENS 512

static mneme_status read_text(const struct watch *watch, float *nll, mneme_error *error) {
    const struct token_texts *texts = watch->held_out;
    const size_t longest = token_texts_longest(texts);
    const size_t n = longest > PASS_TOKENS ? longest : PASS_TOKENS;
    struct pass pass = {0};
    struct batch_builder builder = {0};
    mneme_status status = pass_open(&pass, &watch->language->model, n, false, error);
    THEN(batch_builder_open(&builder, n, error));
    THEN(rehearsal_ends(likelihood_nll(&pass, &builder, texts, nll, error)));
    batch_builder_close(&builder);
    pass_close(&pass);
    return status;
}

/* Asks the questions of a file. */
static mneme_status ask(const struct watch *watch, const char *file, size_t limit, size_t shots,
                        double *f1, double *em, mneme_error *error) {
    const char *const files[] = {file};
    const mneme_eval_options options = {.model = watch->folder,
                                        .questions = files,
                                        .n_questions = 1,
                                        .limit = limit,
                                        .shots = shots,
                                        .prompt = watch->prompt,
                                        .answers_alone = true,
                                        .progress = watch->progress,
                                        .user = watch->user};
    mneme_eval_results results = {0};
    if (file == NULL) return MNEME_OK;
    mneme_status status = examination_run(watch->language, &options, &results, error);
    if (status == MNEME_OK) {
        *f1 = results.questions[0].f1;
        *em = results.questions[0].exact_match;
    }
    examination_free(&results);
    return status;
}

mneme_status watch_measure(const struct watch *watch, bool facts, struct measures *m,
                           mneme_error *error) {
    *m = (struct measures){0};
    if (facts) TRY(ask(watch, watch->facts, watch->limit, 0, &m->new_f1, &m->new_em, error));
    TRY(ask(watch, watch->keep, 0, watch->keep_shots, &m->keep_f1, &m->keep_em, error));
    return read_text(watch, &m->text_nll, error);
}

struct losses watch_losses(const struct measures *before, const struct measures *now) {
    return (struct losses){
        .keep = before->keep_f1 > 0.0 ? 1.0 - now->keep_f1 / before->keep_f1 : 0.0,
        .text = (double)now->text_nll / (double)before->text_nll - 1.0};
}
