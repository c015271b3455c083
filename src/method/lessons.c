#include "method/lessons.h"

#include <stdlib.h>

size_t lessons_n_texts(const struct lessons *lessons, size_t lesson) {
    return lessons->first_text[lesson + 1] - lessons->first_text[lesson];
}

size_t lessons_first_target(const struct lessons *lessons, size_t text) {
    return lessons->first_targets == NULL ? 0 : lessons->first_targets[text];
}

size_t lessons_most_texts(const struct lessons *lessons) {
    size_t most = 1;
    for (size_t i = 0; i < lessons->n; i++) {
        if (lessons_n_texts(lessons, i) > most) most = lessons_n_texts(lessons, i);
    }
    return most;
}

size_t lessons_most_tokens(const struct lessons *lessons) {
    size_t most = 1;
    for (size_t i = 0; i < lessons->n; i++) {
        size_t tokens = 0;
        for (size_t t = lessons->first_text[i]; t < lessons->first_text[i + 1]; t++) {
            tokens += lessons->texts.lengths[t];
        }
        if (tokens > most) most = tokens;
    }
    return most;
}

size_t lessons_longest_text(const struct lessons *lessons) {
    size_t longest = token_texts_longest(&lessons->texts);
    return longest > 0 ? longest : 1;
}

void lessons_free(struct lessons *lessons) {
    token_texts_free(&lessons->texts);
    free(lessons->first_targets);
    free(lessons->first_text);
    free(lessons->first_fact);
    *lessons = (struct lessons){0};
}
