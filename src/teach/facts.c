#include "teach/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/questions.h"
#include "text/string_map.h"

mneme_status facts_load(const char *path, struct question_set *facts, mneme_error *error) {
    TRY(questions_load_facts(path, facts, error));
    for (size_t i = 0; i < facts->n; i++) {
        const struct question *record = &facts->questions[i];
        if (record->question == NULL || record->answers.n > 0) continue;
        mneme_status status = error_set(error, MNEME_BAD_INPUT, "%s: \"%.200s\" has no answer",
                                        path, record->question);
        questions_free(facts);
        return status;
    }
    return MNEME_OK;
}

static const char *asked(const struct question *record) {
    return record->question != NULL ? record->question : record->statements.texts[0];
}

/* What tells one fact from another. */
static char *key_of(const char *question, const struct text_list *answers) {
    struct text text = {0};
    text_add(&text, "%s\n%s", question, answers->n > 0 ? answers->texts[0] : "");
    return text_take(&text);
}

static mneme_status add_key(struct string_map *map, const char *question,
                            const struct text_list *answers, bool *is_new, mneme_error *error) {
    uint32_t number;
    char *key = key_of(question, answers);
    if (key == NULL) return error_set_memory(error, "the facts");
    mneme_status status = string_map_add(map, key, strlen(key), &number, is_new, error);
    free(key);
    return status;
}

mneme_status facts_find(const struct question_set *facts, const struct patch *patch, bool *has,
                        mneme_error *error) {
    struct string_map seen = {0};
    bool is_new = false;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < patch->n_facts && status == MNEME_OK; i++) {
        const struct patch_fact *fact = &patch->facts[i];
        status = add_key(&seen, fact->question, &fact->answers, &is_new, error);
    }
    for (size_t i = 0; i < facts->n && status == MNEME_OK; i++) {
        const struct question *record = &facts->questions[i];
        status = add_key(&seen, asked(record), &record->answers, &is_new, error);
        has[i] = !is_new;
    }
    string_map_free(&seen);
    return status;
}

mneme_status fact_of_record(const struct question *record, struct patch_fact *fact,
                            mneme_error *error) {
    *fact = (struct patch_fact){.question = strdup(asked(record))};
    mneme_status status = fact->question == NULL ? error_set_memory(error, "a fact") : MNEME_OK;
    for (size_t i = 0; i < record->answers.n; i++) {
        const char *answer = record->answers.texts[i];
        THEN(text_list_add_copy(&fact->answers, answer, strlen(answer), error));
    }
    if (status != MNEME_OK) patch_fact_free(fact);
    return status;
}

struct question record_of_fact(struct patch_fact *fact) {
    if (fact->answers.n > 0) {
        return (struct question){.question = fact->question, .answers = fact->answers};
    }
    return (struct question){.statements = {.texts = &fact->question, .n = 1}};
}
