/* Reading a tokenizer from a tokenizer.json. */

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "data/byte_alphabet.h"
#include "data/tokenizer.h"
#include "data/tokenizer_parts.h"

#define MAX_FILE_BYTES ((size_t)256 << 20)

/* A file that is being read. */
struct reader {
    const char *path;
    mneme_error *error;
};

static mneme_status refuse(const struct reader *reader, const char *cause) {
    return error_set(reader->error, MNEME_BAD_INPUT, "%s: %s", reader->path, cause);
}

static bool string_is(const json_t *value, const char *expected) {
    return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

/* Missing, null, false or "": whatever the option is, it is off. */
static bool is_off(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) || string_is(value, "");
}

/* Refuses the options of the format that change ids and that mneme does not have. */
static mneme_status check_options(const struct reader *reader, const json_t *root) {
    static const char *const top[] = {"normalizer", "truncation", "padding"};
    for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
        if (is_off(json_object_get(root, top[i]))) continue;
        return error_set(reader->error, MNEME_BAD_INPUT, "%s: %s: not supported", reader->path,
                         top[i]);
    }
    /* byte_fallback and unk_token are for characters without a token; there are none, since every
     * byte must have one. */
    static const char *const in_model[] = {"dropout", "continuing_subword_prefix",
                                           "end_of_word_suffix"};
    const json_t *model = json_object_get(root, "model");
    for (size_t i = 0; i < sizeof in_model / sizeof *in_model; i++) {
        if (is_off(json_object_get(model, in_model[i]))) continue;
        return error_set(reader->error, MNEME_BAD_INPUT, "%s: model.%s: not supported",
                         reader->path, in_model[i]);
    }
    if (!string_is(json_object_get(json_object_get(root, "decoder"), "type"), "ByteLevel")) {
        return refuse(reader, "decoder: only ByteLevel is supported");
    }
    return MNEME_OK;
}

/* A token as it stands in the file. */
struct name {
    const char *text; /* NULL: not yet */
    bool in_model;    /* of model.vocab */
    bool is_added;    /* of added_tokens */
    bool is_normalized;
    bool is_special;
};

/* All tokens: names[id] for ids 0 to n - 1. */
struct names {
    struct name *names;
    size_t n;
};

/* The place of an id among the names, or NULL, having refused it. */
static struct name *name_at(const struct reader *reader, const struct names *names,
                            const char *text, const json_t *id) {
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    if (value >= 0 && (uint64_t)value < names->n) return &names->names[value];
    error_set(reader->error, MNEME_BAD_INPUT,
              "%s: model.vocab: the id of \"%.80s\" is not one of 0 to %zu", reader->path, text,
              names->n - 1);
    return NULL;
}

/* Puts a token at its place; each id has one token. */
static mneme_status place_name(const struct reader *reader, const struct names *names,
                               const char *text, const json_t *id, bool in_model) {
    struct name *name = name_at(reader, names, text, id);
    if (name == NULL) return MNEME_BAD_INPUT;
    if (name->text != NULL) {
        return error_set(reader->error, MNEME_BAD_INPUT,
                         "%s: model.vocab: \"%.80s\" and \"%.80s\" share an id", reader->path,
                         name->text, text);
    }
    name->text = text;
    name->in_model = in_model;
    return MNEME_OK;
}

static mneme_status refuse_added(const struct reader *reader, size_t number, const char *cause) {
    return error_set(reader->error, MNEME_BAD_INPUT, "%s: added_tokens[%zu]: %s", reader->path,
                     number, cause);
}

/* Puts an added token at its place, or marks the token of model.vocab that it is. */
static mneme_status place_added(const struct reader *reader, const struct names *names,
                                const json_t *vocabulary, const json_t *token, size_t number) {
    const char *text = json_string_value(json_object_get(token, "content"));
    const json_t *id = json_object_get(token, "id");
    if (text == NULL || text[0] == '\0') return refuse_added(reader, number, "no content");
    if (!is_off(json_object_get(token, "single_word")) ||
        !is_off(json_object_get(token, "lstrip")) || !is_off(json_object_get(token, "rstrip"))) {
        return refuse_added(reader, number, "single_word, lstrip and rstrip are not supported");
    }
    const json_t *in_vocabulary = json_object_get(vocabulary, text);
    if (in_vocabulary != NULL && !json_equal(in_vocabulary, id)) {
        return refuse_added(reader, number, "it and model.vocab give a text different ids");
    }
    struct name *name = name_at(reader, names, text, id);
    if (name == NULL) return MNEME_BAD_INPUT;
    if (name->is_added) return refuse_added(reader, number, "repeats an earlier id");
    if (in_vocabulary == NULL) {
        TRY(place_name(reader, names, text, id, false));
    }
    name->is_added = true;
    name->is_normalized = json_is_true(json_object_get(token, "normalized"));
    name->is_special = json_is_true(json_object_get(token, "special"));
    return MNEME_OK;
}

static mneme_status collect_names(const struct reader *reader, const json_t *root,
                                  json_t *vocabulary, const struct names *names) {
    const char *text;
    json_t *id;
    json_object_foreach(vocabulary, text, id) {
        TRY(place_name(reader, names, text, id, true));
    }
    const json_t *added = json_object_get(root, "added_tokens");
    for (size_t i = 0; i < json_array_size(added); i++) {
        TRY(place_added(reader, names, vocabulary, json_array_get(added, i), i));
    }
    /* As many names as ids, each id at most once: none is missing. */
    return MNEME_OK;
}

/* The id of the first of the texts that is an added token, or -1. */
static int32_t find_added(const struct names *names, const char *const *texts, size_t n_texts) {
    for (size_t i = 0; i < n_texts; i++) {
        for (size_t id = 0; id < names->n; id++) {
            if (names->names[id].is_added && strcmp(names->names[id].text, texts[i]) == 0) {
                return (int32_t)id;
            }
        }
    }
    return -1;
}

static mneme_status find_ends(const struct reader *reader, const struct names *names,
                              struct tokenizer *tokenizer) {
    static const char *const starts[] = {"<|begin_of_text|>", "<s>"};
    static const char *const ends[] = {TOKENIZER_END_OF_TEXT, "<|endoftext|>", "</s>",
                                       "<|im_end|>"};
    tokenizer->end_of_text = find_added(names, ends, sizeof ends / sizeof *ends);
    tokenizer->start_of_text = find_added(names, starts, sizeof starts / sizeof *starts);
    if (tokenizer->start_of_text < 0) tokenizer->start_of_text = tokenizer->end_of_text;
    if (tokenizer->end_of_text >= 0) return MNEME_OK;
    return refuse(reader, "added_tokens: no token that ends a text, such as \""  //
                  TOKENIZER_END_OF_TEXT "\" or \"<|endoftext|>\"");
}

/* The bytes of a token written in the byte alphabet; the caller frees them. */
static mneme_status read_token(const struct reader *reader, const char *text, size_t text_length,
                               char **bytes, size_t *length) {
    *bytes = strndup(text, text_length);
    if (*bytes == NULL) return error_set_memory(reader->error, "a token");
    if (*text != '\0' && byte_alphabet_read(*bytes, strlen(*bytes), length)) return MNEME_OK;
    free(*bytes);
    *bytes = NULL;
    return error_set(reader->error, MNEME_BAD_INPUT,
                     "%s: the token \"%.80s\" is not written in the byte alphabet", reader->path,
                     text);
}

/* Merges can make the token: it is in model.vocab, written in the byte alphabet. A special token
 * need not be. */
static bool is_mergeable(const struct name *name) {
    if (!name->in_model || !name->is_added) return name->in_model;
    size_t length;
    char *bytes = strdup(name->text);
    bool readable = bytes != NULL && byte_alphabet_read(bytes, strlen(bytes), &length);
    free(bytes);
    return readable;
}

/* Gives a token the next id. */
static mneme_status add_name(const struct reader *reader, struct tokenizer *tokenizer,
                             const struct name *name) {
    char *bytes;
    size_t length;
    uint32_t id;
    bool added;
    assert(name->text != NULL);
    if (!is_mergeable(name)) {
        return string_map_add_hidden(&tokenizer->vocabulary, name->text, strlen(name->text),
                                     reader->error);
    }
    TRY(read_token(reader, name->text, strlen(name->text), &bytes, &length));
    mneme_status status =
        string_map_add(&tokenizer->vocabulary, bytes, length, &id, &added, reader->error);
    free(bytes);
    if (status == MNEME_OK && !added) {
        status = refuse(reader, "model.vocab: two tokens have the same bytes");
    }
    return status;
}

static mneme_status find_bytes(const struct reader *reader, struct tokenizer *tokenizer) {
    for (int byte = 0; byte < 256; byte++) {
        char text = (char)byte;
        uint32_t id = string_map_find(&tokenizer->vocabulary, &text, 1);
        if (id == STRING_MAP_NONE) {
            return error_set(reader->error, MNEME_BAD_INPUT,
                             "%s: model.vocab: no token for the byte 0x%02x", reader->path,
                             (unsigned)byte);
        }
        tokenizer->byte_ids[byte] = (int32_t)id;
    }
    return MNEME_OK;
}

/* The ids of all tokens, and which token starts and ends texts. */
static mneme_status load_vocabulary(const struct reader *reader, const struct names *names,
                                    struct tokenizer *tokenizer) {
    mneme_status status = find_ends(reader, names, tokenizer);
    for (size_t i = 0; status == MNEME_OK && i < names->n; i++) {
        status = add_name(reader, tokenizer, &names->names[i]);
    }
    return status == MNEME_OK ? find_bytes(reader, tokenizer) : status;
}

/* The two halves of a merge: "left right", or [left, right] as newer files have it. */
static bool split_merge(const json_t *merge, const char *halves[2], size_t lengths[2]) {
    if (json_is_string(merge)) {
        const char *space = strchr(json_string_value(merge), ' ');
        if (space == NULL) return false;
        halves[0] = json_string_value(merge);
        lengths[0] = (size_t)(space - halves[0]);
        halves[1] = space + 1;
    } else {
        halves[0] = json_string_value(json_array_get(merge, 0));
        halves[1] = json_string_value(json_array_get(merge, 1));
        if (json_array_size(merge) != 2 || halves[0] == NULL || halves[1] == NULL) return false;
        lengths[0] = strlen(halves[0]);
    }
    lengths[1] = strlen(halves[1]);
    return lengths[0] > 0 && lengths[1] > 0;
}

/* The id of a merge's half, or STRING_MAP_NONE in *id. */
static mneme_status find_half(const struct reader *reader, const struct tokenizer *tokenizer,
                              const char *text, size_t text_length, uint32_t *id) {
    char *bytes;
    size_t length;
    TRY(read_token(reader, text, text_length, &bytes, &length));
    *id = string_map_find(&tokenizer->vocabulary, bytes, length);
    free(bytes);
    return MNEME_OK;
}

/* Adds the merge, or sets *cause to what is wrong with it. */
static mneme_status add_merge(const struct reader *reader, const json_t *merge,
                              struct tokenizer *tokenizer, const char **cause) {
    const char *halves[2];
    size_t lengths[2], n_tokens = tokenizer->vocabulary.n;
    uint32_t ids[2];
    *cause = "it does not name two tokens of the vocabulary";
    if (!split_merge(merge, halves, lengths)) return MNEME_OK;
    for (int i = 0; i < 2; i++) {
        TRY(find_half(reader, tokenizer, halves[i], lengths[i], &ids[i]));
        if (ids[i] == STRING_MAP_NONE || ids[i] == (uint32_t)tokenizer->end_of_text) {
            return MNEME_OK;
        }
    }
    *cause = "it repeats an earlier merge";
    int32_t left = (int32_t)ids[0], right = (int32_t)ids[1], result;
    if (pair_map_get(&tokenizer->ranks, left, right) != PAIR_MAP_NONE) return MNEME_OK;
    TRY(tokenizer_add_merge(tokenizer, left, right, &result, reader->error));
    bool is_token = tokenizer->vocabulary.n == n_tokens && result != tokenizer->end_of_text;
    *cause = is_token ? NULL : "its result is not in the vocabulary";
    return MNEME_OK;
}

static mneme_status load_merge(const struct reader *reader, const json_t *merge, size_t number,
                               struct tokenizer *tokenizer) {
    const char *cause;
    TRY(add_merge(reader, merge, tokenizer, &cause));
    if (cause == NULL) return MNEME_OK;
    return error_set(reader->error, MNEME_BAD_INPUT, "%s: model.merges[%zu]: %s", reader->path,
                     number, cause);
}

static mneme_status load_merges(const struct reader *reader, const json_t *root,
                                struct tokenizer *tokenizer) {
    const json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    if (!json_is_array(merges)) return refuse(reader, "model.merges: not an array");
    if (json_array_size(merges) > TOKENIZER_MAX_TOKENS) {
        return refuse(reader, "model.merges: too many");
    }
    for (size_t i = 0; i < json_array_size(merges); i++) {
        TRY(load_merge(reader, json_array_get(merges, i), i, tokenizer));
    }
    return MNEME_OK;
}

/* The special texts among the names; the caller frees the list. */
static mneme_status list_specials(const struct reader *reader, const struct names *names,
                                  struct split_special **specials, size_t *n) {
    struct split_special *list = calloc(names->n, sizeof *list);
    if (list == NULL) return error_set_memory(reader->error, "special tokens");
    *n = 0;
    for (size_t id = 0; id < names->n; id++) {
        const struct name *name = &names->names[id];
        if (!name->is_added) continue;
        list[(*n)++] =
            (struct split_special){name->text, (int32_t)id, name->is_normalized, !name->is_special};
    }
    *specials = list;
    return MNEME_OK;
}

static mneme_status load_named(const struct reader *reader, const json_t *root,
                               const struct names *names, struct tokenizer **tokenizer) {
    struct split_plan plan = {0};
    struct split_special *specials = NULL;
    const json_t *model = json_object_get(root, "model");
    mneme_status status = tokenizer_read_rules(json_object_get(root, "pre_tokenizer"), reader->path,
                                               &plan, reader->error);
    THEN(list_specials(reader, names, &specials, &plan.n_specials));
    plan.specials = specials;
    THEN(tokenizer_open(&plan, reader->path, tokenizer, reader->error));
    free(specials);
    if (status != MNEME_OK) return status;
    (*tokenizer)->ignores_merges = json_is_true(json_object_get(model, "ignore_merges"));
    status = load_vocabulary(reader, names, *tokenizer);
    return status == MNEME_OK ? load_merges(reader, root, *tokenizer) : status;
}

/* Room for the names: those of model.vocab and the added tokens that are not there. */
static mneme_status open_names(const struct reader *reader, const json_t *root,
                               const json_t *vocabulary, struct names *names) {
    const json_t *added = json_object_get(root, "added_tokens");
    if (!json_is_object(vocabulary)) return refuse(reader, "model.vocab: not an object");
    names->n = json_object_size(vocabulary);
    for (size_t i = 0; i < json_array_size(added); i++) {
        const char *text = json_string_value(json_object_get(json_array_get(added, i), "content"));
        if (text == NULL || json_object_get(vocabulary, text) == NULL) names->n++;
    }
    if (names->n < TOKENIZER_MIN_TOKENS || names->n > TOKENIZER_MAX_TOKENS) {
        return error_set(reader->error, MNEME_BAD_INPUT,
                         "%s: model.vocab: %zu tokens, expected %d to %zu", reader->path, names->n,
                         TOKENIZER_MIN_TOKENS, TOKENIZER_MAX_TOKENS);
    }
    names->names = calloc(names->n, sizeof *names->names);
    return names->names == NULL ? error_set_memory(reader->error, "the vocabulary") : MNEME_OK;
}

static mneme_status load_root(const struct reader *reader, const json_t *root,
                              struct tokenizer **tokenizer) {
    const json_t *model = json_object_get(root, "model");
    json_t *vocabulary = json_object_get(model, "vocab");
    if (!string_is(json_object_get(model, "type"), "BPE")) {
        return refuse(reader, "model.type: expected \"BPE\"");
    }
    struct names names = {0};
    mneme_status status = check_options(reader, root);
    THEN(open_names(reader, root, vocabulary, &names));
    THEN(collect_names(reader, root, vocabulary, &names));
    THEN(load_named(reader, root, &names, tokenizer));
    free(names.names);
    return status;
}

mneme_status tokenizer_load(const char *path, struct tokenizer **tokenizer, mneme_error *error) {
    const struct reader reader = {path, error};
    struct tokenizer *loaded = NULL;
    char *bytes;
    size_t length;
    TRY(file_read(path, MAX_FILE_BYTES, &bytes, &length, error));
    json_error_t cause;
    json_t *root = json_parse(bytes, length, JSON_REJECT_DUPLICATES, &cause);
    mneme_status status =
        root == NULL ? error_set(error, MNEME_BAD_INPUT, "%s:%d: %s", path, cause.line, cause.text)
                     : load_root(&reader, root, &loaded);
    json_decref(root);
    if (status == MNEME_OK) {
        loaded->source = bytes;
        loaded->source_length = length;
        *tokenizer = loaded;
    } else {
        tokenizer_free(loaded);
        free(bytes);
    }
    return status;
}
