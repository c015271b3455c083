#include "data/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "data/corpus_parts.h"
#include "text/template.h"
#include "text/unicode.h"

mneme_status question_texts(const char *const *forms, size_t n_forms, const char *question,
                            const char *answer, struct text_list *texts, mneme_error *error) {
    const struct template_value values[] = {
        {"question", question}, {"answer", answer}, {NULL, NULL}};
    for (size_t i = 0; i < n_forms; i++) {
        TRY(text_list_add(texts, template_expand_values(forms[i], values), error));
    }
    return MNEME_OK;
}

mneme_status question_prompt(const char *form, const char *question, char **prompt,
                             mneme_error *error) {
    const struct template_value values[] = {{"question", question}, {NULL, NULL}};
    size_t length = (size_t)(strstr(form, "{answer}") - form);
    while (length > 0 && form[length - 1] == ' ') length--;
    char *beginning = strndup(form, length);
    if (beginning == NULL) return error_set_memory(error, "a question");
    *prompt = template_expand_values(beginning, values);
    free(beginning);
    return *prompt == NULL ? error_set_memory(error, "a question") : MNEME_OK;
}

char *question_fold(const char *text) {
    size_t n, kept = 0;
    uint32_t *characters = unicode_lower(text, strlen(text), &n);
    if (characters == NULL) return NULL;
    for (size_t i = 0; i < n; i++) {
        bool is_space = unicode_is_space(characters[i]);
        if (is_space && kept > 0 && characters[kept - 1] == ' ') continue;
        characters[kept++] = is_space ? ' ' : characters[i];
    }
    char *folded = unicode_encode(characters, kept);
    free(characters);
    return folded;
}

static void free_texts(char **texts, size_t n_texts) {
    struct text_list list = {texts, n_texts, n_texts};
    text_list_free(&list);
}

static void free_fact(struct fact *fact) {
    free_texts(fact->texts, fact->n_texts);
    free_texts(fact->answers, fact->n_answers);
    free(fact->question);
    free(fact->prompt);
    free(fact->shown);
}

static void free_facts(struct fact *facts, size_t n_facts) {
    for (size_t i = 0; i < n_facts; i++) free_fact(&facts[i]);
    free(facts);
}

void corpus_keep_fresh(struct corpus *corpus, const bool *keep) {
    size_t n = 0;
    for (size_t i = 0; i < corpus->n_fresh; i++) {
        if (keep[i]) {
            corpus->fresh[n++] = corpus->fresh[i];
        } else {
            free_fact(&corpus->fresh[i]);
        }
    }
    corpus->n_fresh = n;
}

void corpus_free(struct corpus *corpus) {
    free_facts(corpus->known, corpus->n_known);
    free_facts(corpus->fresh, corpus->n_fresh);
    for (size_t i = 0; i < corpus->n_lessons; i++) {
        free_texts(corpus->lessons[i].texts, corpus->lessons[i].n_texts);
    }
    free(corpus->lessons);
    free_texts(corpus->skill_train, corpus->n_skill_train);
    free_texts(corpus->skill_test, corpus->n_skill_test);
    free_texts(corpus->background, corpus->n_background);
    text_list_free(&corpus->notes);
    free(corpus->answer_lead);
    *corpus = (struct corpus){0};
}
