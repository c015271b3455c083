/* A corpus from a world description. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/corpus.h"
#include "data/corpus_parts.h"
#include "data/documents.h"
#include "data/world.h"
#include "text/string_map.h"
#include "text/template.h"

/* What a draw on a stream of the world decides; the upper byte of its index. */
enum draw_purpose {
    DRAW_NAME = 1,
    DRAW_VALUE = 2,
    DRAW_BACKGROUND = 3,
    DRAW_SUM_WORDING = 4,
    DRAW_SUM_TEST_WORDING = 5,
};

/* The texts that one world and seed give. */
struct maker {
    struct world world;
    uint64_t seed;
    mneme_error *error;
};

/* Below `bound`: draw number `detail` (under 256) about item `number`. */
static uint32_t draw(uint64_t seed, uint64_t stream, enum draw_purpose purpose, uint64_t number,
                     uint64_t detail, size_t bound) {
    return random_below(seed, stream, (uint64_t)purpose << 56 | number << 8 | detail,
                        (uint32_t)bound);
}

/* One phrase in the making: number `number` of its purpose. */
struct phrase_draw {
    const struct world_phrases *phrases;
    uint64_t seed;
    enum draw_purpose purpose;
    uint64_t number;
};

static const char *draw_word(void *context, const char *key, size_t length, size_t occurrence) {
    const struct phrase_draw *phrase = context;
    const struct world_phrases *phrases = phrase->phrases;
    size_t i = 0;
    while (strlen(phrases->keys[i]) != length || memcmp(phrases->keys[i], key, length) != 0) i++;
    const struct world_strings *list = &phrases->lists[i];
    return list->items[draw(phrase->seed, RANDOM_STREAM_WORLD, phrase->purpose, phrase->number,
                            occurrence + 1, list->n)];
}

/* A random phrase; the caller frees it. NULL without memory. */
static char *draw_phrase(const struct world_phrases *phrases, uint64_t seed,
                         enum draw_purpose purpose, uint64_t number) {
    struct phrase_draw phrase = {phrases, seed, purpose, number};
    uint32_t choice = draw(seed, RANDOM_STREAM_WORLD, purpose, number, 0, phrases->templates.n);
    return template_expand(phrases->templates.items[choice], draw_word, &phrase);
}

static void capitalise(char *text) {
    if (text != NULL && *text >= 'a' && *text <= 'z') *text = (char)(*text - 'a' + 'A');
}

/* n different names. Those of a smaller n come first, so that adding entities renames none. */
static mneme_status make_names(struct maker *maker, size_t n, struct text_list *names) {
    struct string_map seen = {0};
    mneme_status status = MNEME_OK;
    /* When nearly all names are taken most draws repeat one; this many in a row mean the end. */
    size_t misses = 0, most_misses = 10000 + 10 * n;
    for (uint64_t number = 0; names->n < n && status == MNEME_OK; number++) {
        if (misses > most_misses) {
            status = error_set(maker->error, MNEME_BAD_INPUT,
                               "%s: names: only %zu different ones, %zu are needed",
                               maker->world.path, names->n, n);
            break;
        }
        char *name = draw_phrase(&maker->world.names, maker->seed, DRAW_NAME, number);
        uint32_t index;
        bool added = false;
        if (name == NULL) {
            status = error_set_memory(maker->error, "names");
            break;
        }
        status = string_map_add(&seen, name, strlen(name), &index, &added, maker->error);
        misses = added ? 0 : misses + 1;
        if (status == MNEME_OK && added) {
            status = text_list_add(names, name, maker->error);
        } else {
            free(name);
        }
    }
    string_map_free(&seen);
    return status;
}

/* Every statement with every opening. */
static mneme_status add_statements(const struct maker *maker, const struct world_relation *relation,
                                   const struct template_value *values, struct text_list *texts) {
    const struct world_strings *openings = &maker->world.openings;
    for (size_t i = 0; i < openings->n; i++) {
        for (size_t j = 0; j < relation->statements.n; j++) {
            char *statement = template_expand_values(relation->statements.items[j], values);
            char *text = NULL;
            if (statement == NULL || asprintf(&text, "%s%s", openings->items[i], statement) < 0) {
                text = NULL;
            }
            free(statement);
            capitalise(text);
            TRY(text_list_add(texts, text, maker->error));
        }
    }
    return MNEME_OK;
}

/* Every question in every form; the first in the first form is the one that is asked. */
static mneme_status add_questions(const struct maker *maker, const struct world_relation *relation,
                                  const struct template_value *values, const char *answer,
                                  struct text_list *texts, struct fact *fact) {
    const struct world_strings *forms = &maker->world.question_forms;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < relation->questions.n && status == MNEME_OK; i++) {
        char *question = template_expand_values(relation->questions.items[i], values);
        if (question == NULL) return error_set_memory(maker->error, "a question");
        status = question_texts(forms->items, forms->n, question, answer, texts, maker->error);
        if (i == 0) {
            THEN(question_prompt(forms->items[0], question, &fact->prompt, maker->error));
            fact->question = question;
        } else {
            free(question);
        }
    }
    return status;
}

/* The fact of entity number `entity`, which has this name, in a relation. */
static mneme_status make_fact(const struct maker *maker, size_t entity, const char *name,
                              size_t relation_index, struct fact *fact) {
    const struct world_relation *relation = &maker->world.relations[relation_index];
    uint64_t number = entity * (uint64_t)maker->world.n_relations + relation_index;
    const char *value = relation->values.items[draw(maker->seed, RANDOM_STREAM_WORLD, DRAW_VALUE,
                                                    number, 0, relation->values.n)];
    const struct template_value values[] = {{"name", name}, {"value", value}, {NULL, NULL}};
    struct text_list texts = {0}, answers = {0};
    mneme_status status = add_statements(maker, relation, values, &texts);
    THEN(add_questions(maker, relation, values, value, &texts, fact));
    THEN(text_list_add_copy(&answers, value, strlen(value), maker->error));
    fact->texts = texts.texts;
    fact->n_texts = texts.n;
    fact->answers = answers.texts;
    fact->n_answers = answers.n;
    return status;
}

/* Makes one fact of each further entity, taking turns with the relations; or all facts of each, for
 * documents about them. */
static mneme_status make_fresh(const struct maker *maker, const struct world_sizes *sizes,
                               char *const *names, struct corpus *corpus) {
    size_t n_relations = maker->world.n_relations;
    const bool all_relations = sizes->fresh_subjects > 0;
    size_t n = all_relations ? sizes->fresh_subjects * n_relations : sizes->fresh_facts;
    corpus->fresh = calloc(n + 1, sizeof *corpus->fresh);
    if (corpus->fresh == NULL) return error_set_memory(maker->error, "facts");
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        size_t entity = sizes->known_entities + (all_relations ? i / n_relations : i);
        assert(names != NULL);
        status = make_fact(maker, entity, names[entity], i % n_relations,
                           &corpus->fresh[corpus->n_fresh++]);
    }
    return status;
}

static mneme_status make_facts(struct maker *maker, const struct world_sizes *sizes,
                               struct corpus *corpus) {
    size_t n_relations = maker->world.n_relations, n_known, n_fresh;
    size_t n_entities = sizes->fresh_subjects > 0 ? sizes->fresh_subjects : sizes->fresh_facts;
    if (!size_multiply(sizes->known_entities, n_relations, &n_known) ||
        !size_multiply(n_entities, n_relations, &n_fresh) || sizes->known_entities > UINT32_MAX ||
        n_entities > UINT32_MAX) {
        return error_set(maker->error, MNEME_BAD_INPUT, "%s: too many entities", maker->world.path);
    }
    struct text_list names = {0};
    mneme_status status = make_names(maker, sizes->known_entities + n_entities, &names);
    corpus->known = calloc(n_known + 1, sizeof *corpus->known);
    if (corpus->known == NULL) status = error_set_memory(maker->error, "facts");
    for (size_t i = 0; i < n_known && status == MNEME_OK; i++) {
        size_t entity = i / n_relations;
        assert(entity < names.n);
        status = make_fact(maker, entity, names.texts[entity], i % n_relations,
                           &corpus->known[corpus->n_known++]);
    }
    THEN(make_fresh(maker, sizes, names.texts, corpus));
    text_list_free(&names);
    return status;
}

/* A sum as text, in the wording that item `number` of the purpose draws; NULL without memory. */
static char *make_sum(const struct maker *maker, uint32_t pair, enum draw_purpose purpose,
                      size_t number) {
    const struct world *world = &maker->world;
    uint32_t range = (uint32_t)(world->sums_max - world->sums_min) + 1;
    int a = world->sums_min + (int)(pair / range), b = world->sums_min + (int)(pair % range);
    char a_text[16], b_text[16], sum_text[16];
    snprintf(a_text, sizeof a_text, "%d", a);
    snprintf(b_text, sizeof b_text, "%d", b);
    snprintf(sum_text, sizeof sum_text, "%d", a + b);
    const struct template_value values[] = {
        {"a", a_text}, {"b", b_text}, {"sum", sum_text}, {NULL, NULL}};
    uint32_t choice = draw(maker->seed, RANDOM_STREAM_SKILL, purpose, number, 0, world->sums.n);
    return template_expand_values(world->sums.items[choice], values);
}

/* The held-out sums come first in a random order of all pairs, those of training from the rest,
 * which they go through as often as it takes. */
static mneme_status make_skill(struct maker *maker, const struct world_sizes *sizes,
                               struct text_list *train, struct text_list *test) {
    size_t range = (size_t)(maker->world.sums_max - maker->world.sums_min) + 1;
    size_t n_pairs = range * range, n_test = sizes->skill_test_texts;
    if (n_test > n_pairs || (n_test == n_pairs && sizes->skill_texts > 0)) {
        return error_set(
            maker->error, MNEME_BAD_INPUT,
            "%s: skill: %zu different sums are too few to hold out %zu (`corpus.skill_test_texts`)",
            maker->world.path, n_pairs, n_test);
    }
    uint32_t *order = malloc(n_pairs * sizeof *order);
    if (order == NULL) return error_set_memory(maker->error, "sums");
    random_permutation(maker->seed, RANDOM_STREAM_SKILL, 0, n_pairs, order);
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n_test && status == MNEME_OK; i++) {
        char *text = make_sum(maker, order[i], DRAW_SUM_TEST_WORDING, i);
        status = text_list_add(test, text, maker->error);
    }
    for (size_t i = 0; i < sizes->skill_texts && status == MNEME_OK; i++) {
        uint32_t pair = order[n_test + i % (n_pairs - n_test)];
        char *text = make_sum(maker, pair, DRAW_SUM_WORDING, i);
        status = text_list_add(train, text, maker->error);
    }
    free(order);
    return status;
}

static mneme_status make_background(struct maker *maker, size_t n, struct text_list *texts) {
    for (size_t i = 0; i < n; i++) {
        char *text = draw_phrase(&maker->world.background, maker->seed, DRAW_BACKGROUND, i);
        capitalise(text);
        TRY(text_list_add(texts, text, maker->error));
    }
    return MNEME_OK;
}

mneme_status corpus_from_world(const char *path, const struct world_sizes *sizes, uint64_t seed,
                               struct corpus *corpus, mneme_error *error) {
    *corpus = (struct corpus){0};
    struct maker maker = {.seed = seed, .error = error};
    TRY(world_load(path, &maker.world, error));
    struct text_list train = {0}, test = {0}, background = {0};
    mneme_status status = make_facts(&maker, sizes, corpus);
    if (status == MNEME_OK && sizes->fresh_subjects > 0) {
        status = documents_make(maker.world.n_relations, sizes, seed, corpus, error);
    }
    THEN(make_skill(&maker, sizes, &train, &test));
    THEN(make_background(&maker, sizes->background_texts, &background));
    corpus->skill_train = train.texts;
    corpus->n_skill_train = train.n;
    corpus->skill_test = test.texts;
    corpus->n_skill_test = test.n;
    corpus->background = background.texts;
    corpus->n_background = background.n;
    world_free(&maker.world);
    if (status != MNEME_OK) corpus_free(corpus);
    return status;
}
