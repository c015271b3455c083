#include "run/scores.h"

int scores_to_json(const struct scores *scores, json_t *object) {
    int failed = json_object_set_new(object, "new_f1", json_real(scores->new_f1));
    failed |= json_object_set_new(object, "new_em", json_real(scores->new_em));
    failed |= json_object_set_new(object, "known_f1", json_real(scores->known_f1));
    failed |= json_object_set_new(object, "known_em", json_real(scores->known_em));
    failed |= json_object_set_new(object, "skill_nll", json_real(scores->skill_nll));
    return failed;
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
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        TRY(read_number(object, members[i].key, place, members[i].number, error));
    }
    return MNEME_OK;
}
