#include "run/scores.h"

#include <stdio.h>

#include "simd/math.h"

void divergence_set(struct divergence *divergence, size_t step, const char *cause) {
    divergence->step = step;
    snprintf(divergence->cause, sizeof divergence->cause, "%s",
             cause == NULL ? "a number is not finite" : cause);
}

static int put(json_t *object, const char *key, bool there, double number) {
    return json_object_set_new(object, key, there ? json_real(number) : json_null());
}

int scores_to_json(const struct scores *scores, json_t *object) {
    const bool there = !scores->diverged;
    int failed = put(object, "new_f1", there, scores->new_f1);
    failed |= put(object, "new_em", there, scores->new_em);
    failed |= put(object, "known_f1", there, scores->known_f1);
    failed |= put(object, "known_em", there, scores->known_em);
    failed |= put(object, "skill_nll", there && !scores->without_skill, scores->skill_nll);
    if (scores->has_answer_nll) {
        failed |= put(object, "new_nll", there, scores->new_nll);
        failed |= put(object, "known_nll", there, scores->known_nll);
    }
    if (!scores->has_text) return failed;
    failed |= put(object, "text_nll", there, scores->text_nll);
    return failed |
           put(object, "text_perplexity", there, (double)math_exp((float)scores->text_nll));
}

static mneme_status read_number(const json_t *object, const char *key, const char *place,
                                double *number, mneme_error *error) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: key `%s` must be a number", place, key);
    }
    *number = json_number_value(value);
    return MNEME_OK;
}

mneme_status scores_from_json(const json_t *object, const char *place, struct scores *scores,
                              mneme_error *error) {
    const struct {
        const char *key;
        double *number;
    } members[] = {{"new_f1", &scores->new_f1},
                   {"new_em", &scores->new_em},
                   {"known_f1", &scores->known_f1},
                   {"known_em", &scores->known_em},
                   {"skill_nll", &scores->skill_nll}};
    const size_t n = sizeof members / sizeof *members;
    scores->without_skill = json_is_null(json_object_get(object, "skill_nll"));
    for (size_t i = 0; i < (scores->without_skill ? n - 1 : n); i++) {
        TRY(read_number(object, members[i].key, place, members[i].number, error));
    }
    scores->has_answer_nll = json_object_get(object, "new_nll") != NULL;
    if (scores->has_answer_nll) {
        TRY(read_number(object, "new_nll", place, &scores->new_nll, error));
        TRY(read_number(object, "known_nll", place, &scores->known_nll, error));
    }
    scores->has_text = json_object_get(object, "text_nll") != NULL;
    if (!scores->has_text) return MNEME_OK;
    return read_number(object, "text_nll", place, &scores->text_nll, error);
}
