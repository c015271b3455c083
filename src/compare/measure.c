#include "compare/measure.h"

#define AT(member) offsetof(struct scores, member)

static const struct measure measures[MEASURES] = {
    {"text NLL", "text_nll", true, AT(text_nll), AT(has_text), MEASURE_ALWAYS},
    {"choices", "choices_acc", true, AT(choices_acc), AT(has_choices), MEASURE_ALWAYS},
    {"choices (norm)", "choices_acc_norm", true, AT(choices_acc_norm), AT(has_choices),
     MEASURE_ALWAYS},
    {"new answers' NLL", "new_nll", false, AT(new_nll), AT(has_answer_nll), AT(without_new)},
    {"known answers' NLL", "known_nll", false, AT(known_nll), AT(has_answer_nll),
     AT(without_known)},
};

static bool flag(const struct scores *scores, size_t offset) {
    return *(const bool *)((const char *)scores + offset);
}

size_t measures_of(const struct scores *base, const struct measure *list[MEASURES]) {
    size_t n = 0;
    for (size_t i = 0; i < MEASURES; i++) {
        if (flag(base, measures[i].has)) list[n++] = &measures[i];
    }
    return n;
}

bool measure_is_there(const struct measure *measure, const struct scores *scores) {
    if (scores->diverged || !flag(scores, measure->has)) return false;
    return measure->without == MEASURE_ALWAYS || !flag(scores, measure->without);
}

double measure_value(const struct measure *measure, const struct scores *scores) {
    return *(const double *)(const void *)((const char *)scores + measure->value);
}
