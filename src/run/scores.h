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
    double skill_nll; /* nats per token */
};

/* Members new_f1, new_em, known_f1, known_em, skill_nll; -1 if there is no memory. */
int scores_to_json(const struct scores *scores, json_t *object);
mneme_status scores_from_json(const json_t *object, const char *place, struct scores *scores,
                              mneme_error *error);

#endif
