#include "tokenizer/tokenizer_names.h"

#include <stdlib.h>
#include <string.h>

#include "tokenizer/token_list.h"

mneme_status tokenizer_refuse(const struct tokenizer_file *file, const char *cause) {
    return error_set(file->error, MNEME_BAD_INPUT, "%s: %s", file->path, cause);
}

/* Refuses what is no id. */
static mneme_status check_id(const struct tokenizer_file *file, const char *text,
                             const json_t *id) {
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    if (value >= 0 && (uint64_t)value < TOKENIZER_MAX_TOKENS) return MNEME_OK;
    return error_set(file->error, MNEME_BAD_INPUT,
                     "%s: model.vocab: the id of \"%.80s\" is not one of 0 to %zu", file->path,
                     text, TOKENIZER_MAX_TOKENS - 1);
}

/* Puts a token at its place; each id has one token. */
static mneme_status place_name(const struct tokenizer_file *file, const struct token_names *names,
                               const char *text, const json_t *id, bool in_model) {
    struct token_name *name = &names->names[json_integer_value(id)];
    if (name->text != NULL) {
        return error_set(file->error, MNEME_BAD_INPUT,
                         "%s: model.vocab: \"%.80s\" and \"%.80s\" share an id", file->path,
                         name->text, text);
    }
    name->text = text;
    name->in_model = in_model;
    return MNEME_OK;
}

static mneme_status refuse_added(const struct tokenizer_file *file, size_t number,
                                 const char *cause) {
    return error_set(file->error, MNEME_BAD_INPUT, "%s: added_tokens[%zu]: %s", file->path, number,
                     cause);
}

/* What the package does to a token that model.vocab lacks: `highest` is the highest id of the added
 * tokens before it, -1 for none. */
static mneme_status check_given_id(const struct tokenizer_file *file, size_t number,
                                   const json_t *id, size_t n_model, json_int_t highest) {
    json_int_t given = (json_int_t)n_model;
    if (highest >= given) given = highest + 1;
    if (json_integer_value(id) == given) return MNEME_OK;
    return error_set(
        file->error, MNEME_BAD_INPUT,
        "%s: added_tokens[%zu]: its id is %lld, but other programs give it %lld, since "
        "model.vocab does not have it",
        file->path, number, (long long)json_integer_value(id), (long long)given);
}

/* Puts an added token at its place, or marks the token of model.vocab that it is. */
static mneme_status place_added(const struct tokenizer_file *file, const struct token_names *names,
                                const json_t *vocabulary, const json_t *token, size_t number,
                                json_int_t *highest) {
    const char *text = json_string_value(json_object_get(token, "content"));
    const json_t *id = json_object_get(token, "id");
    if (text == NULL || text[0] == '\0') return refuse_added(file, number, "no content");
    const json_t *in_vocabulary = json_object_get(vocabulary, text);
    if (in_vocabulary != NULL && !json_equal(in_vocabulary, id)) {
        return refuse_added(file, number, "it and model.vocab give a text different ids");
    }
    struct token_name *name = &names->names[json_integer_value(id)];
    if (name->is_added) return refuse_added(file, number, "repeats an earlier id");
    if (in_vocabulary == NULL) {
        TRY(place_name(file, names, text, id, false));
        TRY(check_given_id(file, number, id, json_object_size(vocabulary), *highest));
    }
    name->is_added = true;
    name->is_normalized = json_is_true(json_object_get(token, "normalized"));
    name->is_special = json_is_true(json_object_get(token, "special"));
    name->lstrip = json_is_true(json_object_get(token, "lstrip"));
    name->rstrip = json_is_true(json_object_get(token, "rstrip"));
    name->single_word = json_is_true(json_object_get(token, "single_word"));
    if (json_integer_value(id) > *highest) *highest = json_integer_value(id);
    return MNEME_OK;
}

static mneme_status place_all(const struct tokenizer_file *file, json_t *vocabulary,
                              const json_t *added, const struct token_names *names) {
    const char *text;
    json_t *id;
    json_int_t highest = -1;
    json_object_foreach(vocabulary, text, id) {
        TRY(place_name(file, names, text, id, true));
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        TRY(place_added(file, names, vocabulary, json_array_get(added, i), i, &highest));
    }
    return MNEME_OK;
}

/* Counts an id in. */
static mneme_status reach(const struct tokenizer_file *file, const char *text, const json_t *id,
                          size_t *n) {
    TRY(check_id(file, text == NULL ? "" : text, id));
    size_t needed = (size_t)json_integer_value(id) + 1;
    if (needed > *n) *n = needed;
    return MNEME_OK;
}

/* One more than the highest id. */
static mneme_status count_ids(const struct tokenizer_file *file, json_t *vocabulary,
                              const json_t *added, size_t *n) {
    const char *text;
    json_t *id;
    *n = 0;
    json_object_foreach(vocabulary, text, id) {
        TRY(reach(file, text, id, n));
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *token = json_array_get(added, i);
        TRY(reach(file, json_string_value(json_object_get(token, "content")),
                  json_object_get(token, "id"), n));
    }
    return *n > 0 ? MNEME_OK : tokenizer_refuse(file, "model.vocab: no tokens");
}

mneme_status token_names_read(const struct tokenizer_file *file, const json_t *root,
                              struct token_names *names) {
    json_t *vocabulary = json_object_get(json_object_get(root, "model"), "vocab");
    const json_t *added = json_object_get(root, "added_tokens");
    *names = (struct token_names){0};
    if (!json_is_object(vocabulary)) return tokenizer_refuse(file, "model.vocab: not an object");
    TRY(count_ids(file, vocabulary, added, &names->n));
    names->names = calloc(names->n, sizeof *names->names);
    if (names->names == NULL) return error_set_memory(file->error, "the vocabulary");
    mneme_status status = place_all(file, vocabulary, added, names);
    if (status != MNEME_OK) token_names_free(names);
    return status;
}

void token_names_free(struct token_names *names) {
    free(names->names);
    *names = (struct token_names){0};
}
