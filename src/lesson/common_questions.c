#include "lesson/common_questions.h"

#include <string.h>

/* A table: after its head a line for each question, with a tabulator before the answer. */
static const char built_in[] =
#include "built_in_questions.inc"
    ;

static mneme_status add_line(struct question_set *set, const char *line, size_t length,
                             mneme_error *error) {
    const char *tab = memchr(line, '\t', length), *place = "the built-in questions";
    if (tab == NULL) return MNEME_OK;
    TRY(question_add(set, line, (size_t)(tab - line), place, error));
    return question_add_answer(set, tab + 1, length - (size_t)(tab - line) - 1, place, error);
}

mneme_status common_questions_load(struct question_set *set, mneme_error *error) {
    *set = (struct question_set){0};
    for (const char *line = strchr(built_in, '\n') + 1; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        mneme_status status = add_line(set, line, length, error);
        if (status != MNEME_OK) {
            questions_free(set);
            return status;
        }
        line += length + 1;
    }
    return MNEME_OK;
}
