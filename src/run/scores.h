#ifndef RUN_SCORES_H
#define RUN_SCORES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

/* What a model answers: means over questions, in [0, 1], best over each question's answers. */
struct scores {
    double new_f1, new_em;
    double known_f1, known_em;
    double new_nll, known_nll; /* of the first answers, in nats per token */
    double skill_nll;          /* nats per token */
    double text_nll;           /* of the recipe's held-out text, nats per token */
    double choices_acc; /* of the multiple-choice questions, those whose likeliest ending is … */
    double choices_acc_norm; /* … right, and whose likeliest for its length in characters is */
    bool without_new,
        without_known;   /* no question was asked: the scores are 0 here, null in files */
    bool has_answer_nll; /* new_nll and known_nll are there */
    bool without_skill;  /* no text was read: there is no skill_nll */
    bool has_text;       /* there is such a text */
    bool has_choices;    /* there are such questions */
    bool diverged;       /* a number was not finite: there are no scores */
};

/* Where a training's numbers stopped being finite; step 0: they did not. */
struct divergence {
    size_t step;
    char cause[96]; /* "the loss is not finite" */
};

/* Without a cause that a number is not finite. */
void divergence_set(struct divergence *divergence, size_t step, const char *cause);

/* Members new_f1, new_em, known_f1, known_em, skill_nll, null where there is none; new_nll and
 * known_nll where they are scored; where there are multiple-choice questions choices_acc and
 * choices_acc_norm; and where there is a held-out text text_nll and text_perplexity, its
 * exponential; -1 if there is no memory. */
int scores_to_json(const struct scores *scores, json_t *object);
mneme_status scores_from_json(const json_t *object, const char *place, struct scores *scores,
                              mneme_error *error);

#endif
