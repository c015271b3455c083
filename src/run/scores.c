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
    const bool new = there && !scores->without_new, known = there && !scores->without_known;
    int failed = put(object, "new_f1", new, scores->new_f1);
    failed |= put(object, "new_em", new, scores->new_em);
    failed |= put(object, "known_f1", known, scores->known_f1);
    failed |= put(object, "known_em", known, scores->known_em);
    failed |= put(object, "skill_nll", there && !scores->without_skill, scores->skill_nll);
    if (scores->has_answer_nll) {
        failed |= put(object, "new_nll", new, scores->new_nll);
        failed |= put(object, "known_nll", known, scores->known_nll);
    }
    if (scores->has_choices) {
        failed |= put(object, "choices_acc", there, scores->choices_acc);
        failed |= put(object, "choices_acc_norm", there, scores->choices_acc_norm);
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

/* The same, or null where there is none. */
static mneme_status read_there(const json_t *object, const char *key, const char *place,
                               bool without, double *number, mneme_error *error) {
    if (without && json_is_null(json_object_get(object, key))) return MNEME_OK;
    return read_number(object, key, place, number, error);
}

mneme_status scores_from_json(const json_t *object, const char *place, struct scores *scores,
                              mneme_error *error) {
    const bool without_new = json_is_null(json_object_get(object, "new_f1"));
    const bool without_known = json_is_null(json_object_get(object, "known_f1"));
    const bool without_skill = json_is_null(json_object_get(object, "skill_nll"));
    const bool has_nll = json_object_get(object, "new_nll") != NULL;
    const struct {
        const char *key;
        bool without;
        double *number;
    } members[] = {{"new_f1", without_new, &scores->new_f1},
                   {"new_em", without_new, &scores->new_em},
                   {"known_f1", without_known, &scores->known_f1},
                   {"known_em", without_known, &scores->known_em},
                   {"skill_nll", without_skill, &scores->skill_nll},
                   {"new_nll", without_new, &scores->new_nll},
                   {"known_nll", without_known, &scores->known_nll}};
    const size_t n = sizeof members / sizeof *members;
    scores->without_new = without_new;
    scores->without_known = without_known;
    scores->without_skill = without_skill;
    scores->has_answer_nll = has_nll;
    for (size_t i = 0; i < (has_nll ? n : n - 2); i++) {
        TRY(read_there(object, members[i].key, place, members[i].without, members[i].number,
                       error));
    }
    scores->has_choices = json_object_get(object, "choices_acc") != NULL;
    if (scores->has_choices) {
        TRY(read_number(object, "choices_acc", place, &scores->choices_acc, error));
        TRY(read_number(object, "choices_acc_norm", place, &scores->choices_acc_norm, error));
    }
    scores->has_text = json_object_get(object, "text_nll") != NULL;
    if (!scores->has_text) return MNEME_OK;
    return read_number(object, "text_nll", place, &scores->text_nll, error);
}
