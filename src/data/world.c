#include "data/world.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "text/string_map.h"
#include "text/template.h"

#define MAX_FILE_BYTES ((size_t)64 << 20)
#define MAX_SUMMAND 999

/* One value of the description and its dotted key, for messages. */
struct place {
    const struct world *world;
    const json_t *value;
    char key[200];
    mneme_error *error;
};

static mneme_status refuse(const struct place *place, const char *cause) {
    return error_set(place->error, MNEME_BAD_INPUT, "%s: %s: %s", place->world->path,
                     place->key[0] == '\0' ? "the file" : place->key, cause);
}

/* The value under a key of an object; its value is NULL when it is missing. */
static struct place member(const struct place *place, const char *key) {
    struct place inner = *place;
    inner.value = json_object_get(place->value, key);
    snprintf(inner.key, sizeof inner.key, "%.150s%s%.40s", place->key,
             place->key[0] == '\0' ? "" : ".", key);
    return inner;
}

static struct place element(const struct place *place, size_t index) {
    struct place inner = *place;
    inner.value = json_array_get(place->value, index);
    snprintf(inner.key, sizeof inner.key, "%.150s[%zu]", place->key, index);
    return inner;
}

/* The value must be an object with just these keys, all of them; the list ends with NULL. */
static mneme_status check_keys(const struct place *place, const char *const *keys) {
    if (!json_is_object(place->value)) return refuse(place, "not an object");
    for (size_t i = 0; keys[i] != NULL; i++) {
        struct place inner = member(place, keys[i]);
        if (inner.value == NULL) return refuse(&inner, "missing");
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)place->value, key, value) {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0) i++;
        struct place inner = member(place, key);
        if (keys[i] == NULL) return refuse(&inner, "unknown key");
    }
    return MNEME_OK;
}

/* The value must be an array of different strings, at least one. */
static mneme_status read_strings(const struct place *place, struct world_strings *strings) {
    size_t n = json_array_size(place->value);
    if (n == 0) return refuse(place, "not a list of strings, or empty");
    strings->items = calloc(n, sizeof *strings->items);
    if (strings->items == NULL) return error_set_memory(place->error, "a world description");
    struct string_map seen = {0};
    mneme_status status = MNEME_OK;
    for (strings->n = 0; strings->n < n && status == MNEME_OK; strings->n++) {
        struct place inner = element(place, strings->n);
        const char *text = json_string_value(inner.value);
        uint32_t index;
        bool added = false;
        if (text == NULL) {
            status = refuse(&inner, "not a string");
            break;
        }
        strings->items[strings->n] = text;
        status = string_map_add(&seen, text, strlen(text), &index, &added, place->error);
        if (status == MNEME_OK && !added) status = refuse(&inner, "listed twice");
    }
    string_map_free(&seen);
    return status;
}

/* Plain texts: not empty, and without braces. */
static mneme_status read_words(const struct place *place, struct world_strings *words) {
    mneme_status status = read_strings(place, words);
    for (size_t i = 0; i < words->n && status == MNEME_OK; i++) {
        struct place inner = element(place, i);
        if (words->items[i][0] == '\0') status = refuse(&inner, "empty");
        if (strpbrk(words->items[i], "{}") != NULL) status = refuse(&inner, "holds a brace");
    }
    return status;
}

/* Templates in which each of the names stands at least once, and nothing else does. */
static mneme_status read_templates(const struct place *place, const char *const *names,
                                   struct world_strings *templates) {
    mneme_status status = read_strings(place, templates);
    for (size_t i = 0; i < templates->n && status == MNEME_OK; i++) {
        struct place inner = element(place, i);
        const char *text = templates->items[i];
        if (!template_is_valid(text)) return refuse(&inner, "a brace without its counterpart");
        size_t n_places = 0, n_known = 0, length;
        for (const char *at = text; (at = template_next(at, &length)) != NULL; at += length) {
            n_places++;
        }
        for (size_t j = 0; names[j] != NULL; j++) {
            size_t n = template_count(text, names[j]);
            if (n == 0) {
                return error_set(place->error, MNEME_BAD_INPUT, "%s: %s: no {%s}",
                                 place->world->path, inner.key, names[j]);
            }
            n_known += n;
        }
        if (n_known != n_places) return refuse(&inner, "a name in braces that means nothing here");
    }
    return status;
}

/* Every place of the templates must have its list. */
static mneme_status check_phrases(const struct place *templates,
                                  const struct world_phrases *phrases) {
    for (size_t i = 0; i < phrases->templates.n; i++) {
        struct place inner = element(templates, i);
        const char *text = phrases->templates.items[i];
        if (!template_is_valid(text)) return refuse(&inner, "a brace without its counterpart");
        size_t n_places = 0, n_known = 0, length;
        for (const char *at = text; (at = template_next(at, &length)) != NULL; at += length) {
            n_places++;
        }
        for (size_t j = 0; j < phrases->n_lists; j++) {
            n_known += template_count(text, phrases->keys[j]);
        }
        if (n_known != n_places) return refuse(&inner, "a name in braces without a list");
        if (n_places > WORLD_MAX_PLACES) return refuse(&inner, "too many names in braces");
    }
    return MNEME_OK;
}

static mneme_status read_phrases(const struct place *place, struct world_phrases *phrases) {
    static const char *const keys[] = {"templates", "lists", NULL};
    TRY(check_keys(place, keys));
    struct place templates = member(place, "templates"), lists = member(place, "lists");
    TRY(read_strings(&templates, &phrases->templates));
    if (!json_is_object(lists.value)) return refuse(&lists, "not an object");
    size_t n_lists = json_object_size(lists.value);
    phrases->keys = calloc(n_lists + 1, sizeof *phrases->keys);
    phrases->lists = calloc(n_lists + 1, sizeof *phrases->lists);
    if (phrases->keys == NULL || phrases->lists == NULL) {
        return error_set_memory(place->error, "a world description");
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)lists.value, key, value) {
        struct place list = member(&lists, key);
        phrases->keys[phrases->n_lists] = key;
        TRY(read_words(&list, &phrases->lists[phrases->n_lists++]));
    }
    return check_phrases(&templates, phrases);
}

static mneme_status read_relation(const struct place *place, struct world_relation *relation) {
    static const char *const keys[] = {"name", "values", "statements", "questions", NULL};
    static const char *const in_statements[] = {"name", "value", NULL};
    static const char *const in_questions[] = {"name", NULL};
    TRY(check_keys(place, keys));
    struct place name = member(place, "name"), values = member(place, "values");
    struct place statements = member(place, "statements");
    struct place questions = member(place, "questions");
    relation->name = json_string_value(name.value);
    if (relation->name == NULL) return refuse(&name, "not a string");
    TRY(read_words(&values, &relation->values));
    TRY(read_templates(&statements, in_statements, &relation->statements));
    return read_templates(&questions, in_questions, &relation->questions);
}

static mneme_status read_relations(const struct place *place, struct world *world) {
    size_t n = json_array_size(place->value);
    if (n == 0) return refuse(place, "not a list of relations, or empty");
    world->relations = calloc(n, sizeof *world->relations);
    if (world->relations == NULL) return error_set_memory(place->error, "a world description");
    for (size_t i = 0; i < n; i++) {
        struct place inner = element(place, i);
        TRY(read_relation(&inner, &world->relations[world->n_relations++]));
    }
    return MNEME_OK;
}

static mneme_status read_openings(const struct place *place, struct world_strings *openings) {
    mneme_status status = read_strings(place, openings);
    for (size_t i = 0; i < openings->n && status == MNEME_OK; i++) {
        struct place inner = element(place, i);
        if (strpbrk(openings->items[i], "{}") != NULL) status = refuse(&inner, "holds a brace");
    }
    return status;
}

static mneme_status read_question_forms(const struct place *place, struct world_strings *forms) {
    static const char *const names[] = {"question", "answer", NULL};
    mneme_status status = read_templates(place, names, forms);
    for (size_t i = 0; i < forms->n && status == MNEME_OK; i++) {
        struct place inner = element(place, i);
        const char *form = forms->items[i];
        bool ordered = template_count(form, "question") == 1 &&
                       template_count(form, "answer") == 1 &&
                       strstr(form, "{question}") < strstr(form, "{answer}");
        if (!ordered) status = refuse(&inner, "not one {question} and then one {answer}");
    }
    return status;
}

static mneme_status read_summand(const struct place *place, int smallest, int *number) {
    json_int_t value = json_is_integer(place->value) ? json_integer_value(place->value) : -1;
    if (value < smallest || value > MAX_SUMMAND) {
        return error_set(place->error, MNEME_BAD_INPUT, "%s: %s: not a whole number from %d to %d",
                         place->world->path, place->key, smallest, MAX_SUMMAND);
    }
    *number = (int)value;
    return MNEME_OK;
}

static mneme_status read_skill(const struct place *place, struct world *world) {
    static const char *const keys[] = {"kind", "min", "max", "templates", NULL};
    static const char *const names[] = {"a", "b", "sum", NULL};
    TRY(check_keys(place, keys));
    struct place kind = member(place, "kind"), min = member(place, "min");
    struct place max = member(place, "max"), templates = member(place, "templates");
    if (!json_is_string(kind.value) || strcmp(json_string_value(kind.value), "sums") != 0) {
        return refuse(&kind, "the only kind of skill is \"sums\"");
    }
    mneme_status status = read_summand(&min, 0, &world->sums_min);
    THEN(read_summand(&max, world->sums_min, &world->sums_max));
    THEN(read_templates(&templates, names, &world->sums));
    return status;
}

static mneme_status read_world(struct world *world, mneme_error *error) {
    static const char *const keys[] = {"names", "relations",  "openings", "question_forms",
                                       "skill", "background", NULL};
    const struct place root = {world, world->root, "", error};
    TRY(check_keys(&root, keys));
    struct place names = member(&root, keys[0]), relations = member(&root, keys[1]);
    struct place openings = member(&root, keys[2]), forms = member(&root, keys[3]);
    struct place skill = member(&root, keys[4]), background = member(&root, keys[5]);
    mneme_status status = read_phrases(&names, &world->names);
    THEN(read_relations(&relations, world));
    THEN(read_openings(&openings, &world->openings));
    THEN(read_question_forms(&forms, &world->question_forms));
    THEN(read_skill(&skill, world));
    THEN(read_phrases(&background, &world->background));
    return status;
}

mneme_status world_load(const char *path, struct world *world, mneme_error *error) {
    *world = (struct world){.path = path};
    char *bytes;
    size_t length;
    TRY(file_read_text(path, MAX_FILE_BYTES, &bytes, &length, error));
    json_error_t cause;
    world->root = json_parse(bytes, length, JSON_REJECT_DUPLICATES, &cause);
    free(bytes);
    if (world->root == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s:%d: %s", path, cause.line, cause.text);
    }
    mneme_status status = read_world(world, error);
    if (status != MNEME_OK) world_free(world);
    return status;
}

static void free_phrases(struct world_phrases *phrases) {
    for (size_t i = 0; i < phrases->n_lists; i++) free(phrases->lists[i].items);
    free(phrases->lists);
    free(phrases->keys);
    free(phrases->templates.items);
}

void world_free(struct world *world) {
    free_phrases(&world->names);
    free_phrases(&world->background);
    for (size_t i = 0; i < world->n_relations; i++) {
        free(world->relations[i].values.items);
        free(world->relations[i].statements.items);
        free(world->relations[i].questions.items);
    }
    free(world->relations);
    free(world->openings.items);
    free(world->question_forms.items);
    free(world->sums.items);
    json_decref(world->root);
    *world = (struct world){0};
}
