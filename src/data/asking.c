#include "data/asking.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "text/form.h"
#include "text/utf8.h"

/* What separates examples where a form does not say. */
#define SEPARATOR "\n\n"

static mneme_status refuse(const char *place, const char *cause, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: %s", place, cause);
}

/* Where a place stands in a form; NULL: nowhere. */
static const char *find(const char *form, enum form_place place) {
    return strchr(form, (int)place);
}

/* NULL, or what is wrong. */
static const char *check(const char *form) {
    const char *question = find(form, FORM_QUESTION), *answer = find(form, FORM_ANSWER);
    const char *shots = find(form, FORM_SHOTS);
    if (form_count(form, FORM_QUESTION) != 1) return "needs {question}, once";
    if (form_count(form, FORM_ANSWER) > 1) return "has {answer} more than once";
    if (form_count(form, FORM_SHOTS) > 1) return "has {shots} more than once";
    if (answer != NULL && answer < question) return "has {answer} before {question}";
    if (shots != NULL && shots > question) return "has {shots} after {question}";
    if (!form_is_chat(form)) return NULL;
    if (!form_is_turn(form[form[0] == (char)FORM_SHOTS])) return "has a text before its first turn";
    const char *turn = find(question, FORM_ASSISTANT);
    if (turn == NULL || (answer != NULL && turn > answer)) {
        return "has turns, but no {assistant} after {question}";
    }
    return NULL;
}

/* Whether an answer may follow the text as it is. */
static bool ends_open(const char *ask) {
    size_t n = strlen(ask);
    return n == 0 || ask[n - 1] == '\n' || form_is_turn(ask[n - 1]);
}

/* Cuts a form that was checked into its parts; a part stays NULL without memory. */
static void cut(const char *form, struct asking *asking) {
    const char *shots = find(form, FORM_SHOTS), *answer = find(form, FORM_ANSWER);
    const char *unit = shots == NULL ? form : shots + 1;
    const char *end = answer == NULL ? unit + strlen(unit) : answer, *ask_end = end;
    struct text shot = {0};
    while (ask_end > unit && ask_end[-1] == ' ') ask_end--;
    asking->opening = strndup(form, shots == NULL ? 0 : (size_t)(shots - form));
    asking->ask = strndup(unit, (size_t)(ask_end - unit));
    if (asking->ask == NULL) return;
    const char *lead = ends_open(asking->ask) ? "" : " ";
    asking->lead = answer == NULL ? strdup(lead) : strndup(ask_end, (size_t)(end - ask_end));
    if (asking->lead == NULL) return;
    text_add(&shot, "%s%s%c", asking->ask, asking->lead, FORM_ANSWER);
    const char *separator = form_is_chat(unit) ? "" : SEPARATOR;
    text_add(&shot, "%s", answer == NULL ? separator : answer + 1);
    asking->shot = text_take(&shot);
}

mneme_status asking_read(const char *text, const char *place, struct asking *asking,
                         mneme_error *error) {
    const char *cause = NULL;
    *asking = (struct asking){0};
    if (text == NULL) text = ASKING_DEFAULT;
    size_t length = strlen(text);
    if (utf8_valid_length(text, length) != length) return refuse(place, "is not UTF-8", error);
    char *form = form_read(text, length, &cause);
    if (form != NULL) cause = check(form);
    if (form != NULL && cause == NULL) cut(form, asking);
    free(form);
    if (cause != NULL) return refuse(place, cause, error);
    if (asking->opening != NULL && asking->shot != NULL) return MNEME_OK;
    asking_free(asking);
    return error_set_memory(error, "a prompt");
}

void asking_free(struct asking *asking) {
    free(asking->opening);
    free(asking->ask);
    free(asking->lead);
    free(asking->shot);
    *asking = (struct asking){0};
}

/* Appends a filled form. */
static void add(struct text *text, const char *form, const char *question, const char *answer) {
    const struct form_values values = {.question = question, .answer = answer};
    char *filled = form_fill(form, &values);
    text->failed |= filled == NULL;
    text_add(text, "%s", filled == NULL ? "" : filled);
    free(filled);
}

mneme_status asking_prompt(const struct asking *asking, size_t n, const struct shot *shots,
                           const char *question, char **prompt, mneme_error *error) {
    struct text text = {0};
    text_add(&text, "%s", asking->opening);
    for (size_t i = 0; i < n; i++) add(&text, asking->shot, shots[i].question, shots[i].answer);
    add(&text, asking->ask, question, "");
    *prompt = text_take(&text);
    return *prompt == NULL ? error_set_memory(error, "a prompt") : MNEME_OK;
}
