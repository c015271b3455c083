/* Prompts of a corpus's facts, with examples before the question. */

#include <stdlib.h>
#include <string.h>

#include "data/asking.h"
#include "data/corpus.h"
#include "data/corpus_parts.h"
#include "data/questions.h"
#include "text/form.h"
#include "text/string_map.h"

/* Where examples come from: one question more than are shown, since one may be the asked one. */
struct pool {
    struct asking asking;
    size_t n, capacity;
    struct shot *shots;      /* [n] different ones, their questions as the form wants them */
    struct string_map seen;  /* [n] their questions as they are compared */
    struct string_map asked; /* of a file: the questions of the corpus, which are no examples */
    struct text_list own;    /* strings of the shots */
    const char *place;       /* for messages */
};

static mneme_status open_pool(struct pool *pool, size_t capacity, mneme_error *error) {
    pool->capacity = capacity;
    pool->shots = calloc(capacity, sizeof *pool->shots);
    return pool->shots == NULL ? error_set_memory(error, "examples") : MNEME_OK;
}

static void close_pool(struct pool *pool) {
    asking_free(&pool->asking);
    free(pool->shots);
    string_map_free(&pool->seen);
    string_map_free(&pool->asked);
    text_list_free(&pool->own);
}

/* *number becomes that of the question among those of the map; is_new: it was not there. */
static mneme_status note_question(struct string_map *seen, const char *question, uint32_t *number,
                                  bool *is_new, mneme_error *error) {
    char *folded = question_fold(question);
    if (folded == NULL) return error_set_memory(error, "questions");
    mneme_status status = string_map_add(seen, folded, strlen(folded), number, is_new, error);
    free(folded);
    return status;
}

/* Whether the map has the question. */
static mneme_status has_question(const struct string_map *map, const char *question, bool *has,
                                 mneme_error *error) {
    char *folded = question_fold(question);
    if (folded == NULL) return error_set_memory(error, "questions");
    *has = string_map_find(map, folded, strlen(folded)) != STRING_MAP_NONE;
    free(folded);
    return MNEME_OK;
}

static mneme_status note_asked(struct pool *pool, const struct fact *facts, size_t n,
                               mneme_error *error) {
    uint32_t number;
    bool is_new;
    for (size_t i = 0; i < n; i++) {
        TRY(note_question(&pool->asked, facts[i].question, &number, &is_new, error));
    }
    return MNEME_OK;
}

/* Adds an example, if its question was not there before. */
static mneme_status add_shot(struct pool *pool, const char *question, const char *answer,
                             mneme_error *error) {
    struct text_list *own = &pool->own;
    uint32_t number;
    bool is_new = false;
    TRY(note_question(&pool->seen, question, &number, &is_new, error));
    if (!is_new) return MNEME_OK;
    TRY(text_list_add(own, question_in_form(pool->asking.ask, question), error));
    TRY(text_list_add(own, strdup(answer), error));
    pool->shots[pool->n++] = (struct shot){own->texts[own->n - 2], own->texts[own->n - 1]};
    return MNEME_OK;
}

static mneme_status fill_from_known(struct pool *pool, const struct corpus *corpus,
                                    mneme_error *error) {
    for (size_t i = 0; i < corpus->n_known && pool->n < pool->capacity; i++) {
        const struct fact *fact = &corpus->known[i];
        TRY(add_shot(pool, fact->question, fact->answers[0], error));
    }
    return MNEME_OK;
}

static mneme_status fill_from_set(struct pool *pool, const struct question_set *set,
                                  mneme_error *error) {
    if (set->is_text) {
        return error_set(error, MNEME_BAD_INPUT, "%s: texts, not questions with answers",
                         pool->place);
    }
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < set->n && pool->n < pool->capacity && status == MNEME_OK; i++) {
        char *question = question_marked(set->questions[i].question);
        bool is_asked = false;
        status = question == NULL ? error_set_memory(error, "examples")
                                  : has_question(&pool->asked, question, &is_asked, error);
        if (!is_asked) THEN(add_shot(pool, question, set->questions[i].answers.texts[0], error));
        free(question);
    }
    return status;
}

static mneme_status fill_from_file(struct pool *pool, const struct corpus *corpus,
                                   mneme_error *error) {
    struct question_set set;
    TRY(note_asked(pool, corpus->known, corpus->n_known, error));
    TRY(note_asked(pool, corpus->fresh, corpus->n_fresh, error));
    TRY(questions_load(pool->place, &set, error));
    mneme_status status = fill_from_set(pool, &set, error);
    questions_free(&set);
    return status;
}

/* Takes the first n examples that are not the fact's own question into `chosen`. */
static mneme_status choose_shots(struct pool *pool, const struct fact *fact, size_t n,
                                 struct shot *chosen, mneme_error *error) {
    char *folded = question_fold(fact->question);
    if (folded == NULL) return error_set_memory(error, "questions");
    uint32_t own = string_map_find(&pool->seen, folded, strlen(folded));
    size_t n_chosen = 0;
    free(folded);
    for (size_t i = 0; i < pool->n && n_chosen < n; i++) {
        if (i != own) chosen[n_chosen++] = pool->shots[i];
    }
    if (n_chosen == n) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: holds fewer than the %zu questions of `evaluate.shots`, besides %s",
                     pool->place, n,
                     pool->asked.n > 0 ? "those that are asked" : "the one that is asked");
}

static mneme_status ask_fact(struct pool *pool, size_t n_shots, struct shot *chosen,
                             struct fact *fact, mneme_error *error) {
    TRY(choose_shots(pool, fact, n_shots, chosen, error));
    char *question = question_in_form(pool->asking.ask, fact->question);
    if (question == NULL) return error_set_memory(error, "questions");
    free(fact->prompt);
    free(fact->shown);
    fact->prompt = fact->shown = NULL;
    mneme_status status =
        asking_prompt(&pool->asking, n_shots, chosen, question, &fact->prompt, error);
    free(question);
    if (status != MNEME_OK || !form_is_chat(fact->prompt)) return status;
    fact->shown = form_show(fact->prompt);
    return fact->shown == NULL ? error_set_memory(error, "questions") : MNEME_OK;
}

static mneme_status ask_facts(struct pool *pool, size_t n_shots, struct fact *facts, size_t n,
                              mneme_error *error) {
    struct shot *chosen = calloc(n_shots + 1, sizeof *chosen);
    if (chosen == NULL) return error_set_memory(error, "examples");
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = ask_fact(pool, n_shots, chosen, &facts[i], error);
    }
    free(chosen);
    return status;
}

mneme_status corpus_ask(struct corpus *corpus, const struct corpus_asking *asking,
                        mneme_error *error) {
    struct pool pool = {.place = asking->shots_from == NULL ? "corpus.known" : asking->shots_from};
    const size_t n_fresh = asking->n_fresh_shots,
                 n = asking->n_shots > n_fresh ? asking->n_shots : n_fresh;
    mneme_status status = asking_read(asking->prompt, asking->place, &pool.asking, error);
    THEN(open_pool(&pool, n + 1, error));
    if (n > 0) {
        THEN(asking->shots_from == NULL ? fill_from_known(&pool, corpus, error)
                                        : fill_from_file(&pool, corpus, error));
    }
    THEN(ask_facts(&pool, asking->n_shots, corpus->known, corpus->n_known, error));
    THEN(ask_facts(&pool, n_fresh, corpus->fresh, corpus->n_fresh, error));
    free(corpus->answer_lead);
    corpus->answer_lead = status == MNEME_OK ? strdup(pool.asking.lead) : NULL;
    close_pool(&pool);
    if (status != MNEME_OK || corpus->answer_lead != NULL) return status;
    return error_set_memory(error, "questions");
}
