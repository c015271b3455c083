#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "data/byte_alphabet.h"
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
    static const char *const in_model[] = {"dropout", "continuing_subword_prefix",
                                           "end_of_word_suffix", "byte_fallback", "ignore_merges"};
    const json_t *model = json_object_get(root, "model");
    for (size_t i = 0; i < sizeof in_model / sizeof *in_model; i++) {
        if (is_off(json_object_get(model, in_model[i]))) continue;
        return error_set(reader->error, MNEME_BAD_INPUT, "%s: model.%s: not supported",
                         reader->path, in_model[i]);
    }
    const json_t *post = json_object_get(root, "post_processor");
    if (!is_off(post) && !string_is(json_object_get(post, "type"), "ByteLevel")) {
        return refuse(reader, "post_processor: only null or ByteLevel is supported");
    }
    if (!string_is(json_object_get(json_object_get(root, "decoder"), "type"), "ByteLevel")) {
        return refuse(reader, "decoder: only ByteLevel is supported");
    }
    return MNEME_OK;
}

/* The pattern in pre_tokenizer, or NULL when it is not Sequence[Split, ByteLevel] as written by
 * tokenizer_save. The string belongs to the JSON. */
static const char *find_pattern(const json_t *root) {
    const json_t *pre = json_object_get(root, "pre_tokenizer");
    const json_t *parts = json_object_get(pre, "pretokenizers");
    const json_t *split = json_array_get(parts, 0), *bytes = json_array_get(parts, 1);
    bool known = string_is(json_object_get(pre, "type"), "Sequence") &&
                 json_array_size(parts) == 2 &&
                 string_is(json_object_get(split, "type"), "Split") &&
                 string_is(json_object_get(split, "behavior"), "Isolated") &&
                 is_off(json_object_get(split, "invert")) &&
                 string_is(json_object_get(bytes, "type"), "ByteLevel") &&
                 is_off(json_object_get(bytes, "add_prefix_space")) &&
                 json_is_false(json_object_get(bytes, "use_regex"));
    if (!known) return NULL;
    return json_string_value(json_object_get(json_object_get(split, "pattern"), "Regex"));
}

/* Puts a token's text at its place among the names; each id has one token. */
static mneme_status place_name(const struct reader *reader, const char **names, size_t n_names,
                               const char *text, const json_t *id) {
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    if (value < 0 || (uint64_t)value >= n_names) {
        return error_set(reader->error, MNEME_BAD_INPUT,
                         "%s: model.vocab: the id of \"%.80s\" is not one of 0 to %zu",
                         reader->path, text, n_names - 1);
    }
    if (names[value] != NULL) {
        return error_set(reader->error, MNEME_BAD_INPUT,
                         "%s: model.vocab: \"%.80s\" and \"%.80s\" share an id", reader->path,
                         names[value], text);
    }
    names[value] = text;
    return MNEME_OK;
}

/* The one added token must be the end of text. *id becomes its JSON id. */
static mneme_status find_end_of_text(const struct reader *reader, const json_t *root,
                                     const json_t **id) {
    const json_t *added = json_object_get(root, "added_tokens");
    const json_t *token = json_array_get(added, 0);
    bool plain = is_off(json_object_get(token, "single_word")) &&
                 is_off(json_object_get(token, "lstrip")) &&
                 is_off(json_object_get(token, "rstrip"));
    *id = json_object_get(token, "id");
    if (json_array_size(added) != 1 || !plain || !json_is_integer(*id) ||
        !string_is(json_object_get(token, "content"), TOKENIZER_END_OF_TEXT)) {
        return refuse(reader, "added_tokens: only \"" TOKENIZER_END_OF_TEXT "\" is supported");
    }
    return MNEME_OK;
}

/* names[id] becomes the text of each token, as it stands in the file. */
static mneme_status collect_names(const struct reader *reader, const json_t *root,
                                  json_t *vocabulary, const char **names, size_t n_names) {
    const json_t *end_of_text;
    mneme_status status = find_end_of_text(reader, root, &end_of_text);
    if (status != MNEME_OK) return status;
    const json_t *in_vocabulary = json_object_get(vocabulary, TOKENIZER_END_OF_TEXT);
    if (in_vocabulary == NULL) {
        status = place_name(reader, names, n_names, TOKENIZER_END_OF_TEXT, end_of_text);
    } else if (!json_equal(in_vocabulary, end_of_text)) {
        status = refuse(reader, "added_tokens and model.vocab give \"" TOKENIZER_END_OF_TEXT
                                "\" different ids");
    }
    const char *text;
    json_t *id;
    json_object_foreach(vocabulary, text, id) {
        if (status != MNEME_OK) return status;
        status = place_name(reader, names, n_names, text, id);
    }
    return status;
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

static mneme_status add_names(const struct reader *reader, struct tokenizer *tokenizer,
                              const char *const *names, size_t n_names) {
    for (size_t i = 0; i < n_names; i++) {
        char *bytes;
        size_t length;
        uint32_t id;
        bool added;
        assert(names[i] != NULL);
        mneme_status status = read_token(reader, names[i], strlen(names[i]), &bytes, &length);
        if (status != MNEME_OK) return status;
        if (strcmp(names[i], TOKENIZER_END_OF_TEXT) == 0) tokenizer->end_of_text = (int32_t)i;
        status = string_map_add(&tokenizer->vocabulary, bytes, length, &id, &added, reader->error);
        free(bytes);
        if (status != MNEME_OK) return status;
        if (!added) return refuse(reader, "model.vocab: two tokens have the same bytes");
    }
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

static mneme_status load_vocabulary(const struct reader *reader, const json_t *root,
                                    struct tokenizer *tokenizer) {
    json_t *vocabulary = json_object_get(json_object_get(root, "model"), "vocab");
    if (!json_is_object(vocabulary)) return refuse(reader, "model.vocab: not an object");
    size_t n_names = json_object_size(vocabulary);
    if (json_object_get(vocabulary, TOKENIZER_END_OF_TEXT) == NULL) n_names++;
    if (n_names < TOKENIZER_MIN_TOKENS || n_names > TOKENIZER_MAX_TOKENS) {
        return error_set(reader->error, MNEME_BAD_INPUT,
                         "%s: model.vocab: %zu tokens, expected %d to %zu", reader->path, n_names,
                         TOKENIZER_MIN_TOKENS, TOKENIZER_MAX_TOKENS);
    }
    const char **names = calloc(n_names, sizeof *names);
    if (names == NULL) return error_set_memory(reader->error, "the vocabulary");
    mneme_status status = collect_names(reader, root, vocabulary, names, n_names);
    if (status == MNEME_OK) status = add_names(reader, tokenizer, names, n_names);
    free(names);
    return status;
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
    mneme_status status = read_token(reader, text, text_length, &bytes, &length);
    if (status != MNEME_OK) return status;
    *id = string_map_find(&tokenizer->vocabulary, bytes, length);
    free(bytes);
    return MNEME_OK;
}

static mneme_status load_merge(const struct reader *reader, const json_t *merge, size_t number,
                               struct tokenizer *tokenizer) {
    const char *cause = "it does not name two tokens of the vocabulary";
    const char *halves[2];
    size_t lengths[2];
    uint32_t ids[2];
    if (!split_merge(merge, halves, lengths)) goto refused;
    for (int i = 0; i < 2; i++) {
        mneme_status status = find_half(reader, tokenizer, halves[i], lengths[i], &ids[i]);
        if (status != MNEME_OK) return status;
        if (ids[i] == STRING_MAP_NONE || ids[i] == (uint32_t)tokenizer->end_of_text) goto refused;
    }
    cause = "it repeats an earlier merge";
    int32_t left = (int32_t)ids[0], right = (int32_t)ids[1], result;
    if (pair_map_get(&tokenizer->ranks, left, right) != PAIR_MAP_NONE) goto refused;
    cause = "its result is not in the vocabulary";
    size_t n_tokens = tokenizer->vocabulary.n;
    mneme_status status = tokenizer_add_merge(tokenizer, left, right, &result, reader->error);
    if (status != MNEME_OK) return status;
    if (tokenizer->vocabulary.n != n_tokens || result == tokenizer->end_of_text) goto refused;
    return MNEME_OK;
refused:
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
        mneme_status status = load_merge(reader, json_array_get(merges, i), i, tokenizer);
        if (status != MNEME_OK) return status;
    }
    return MNEME_OK;
}

static mneme_status load_root(const struct reader *reader, const json_t *root,
                              struct tokenizer **tokenizer) {
    const json_t *type = json_object_get(json_object_get(root, "model"), "type");
    if (!string_is(type, "BPE")) return refuse(reader, "model.type: expected \"BPE\"");
    mneme_status status = check_options(reader, root);
    if (status != MNEME_OK) return status;
    const char *pattern = find_pattern(root);
    if (pattern == NULL) {
        return refuse(reader,
                      "pre_tokenizer: expected Sequence of Split (Regex, Isolated) and ByteLevel "
                      "(add_prefix_space false, use_regex false)");
    }
    struct tokenizer *loaded = NULL;
    status = tokenizer_open(pattern, reader->path, &loaded, reader->error);
    if (status == MNEME_OK) status = load_vocabulary(reader, root, loaded);
    if (status == MNEME_OK) status = load_merges(reader, root, loaded);
    if (status != MNEME_OK) {
        tokenizer_free(loaded);
        return status;
    }
    *tokenizer = loaded;
    return MNEME_OK;
}

mneme_status tokenizer_load(const char *path, struct tokenizer **tokenizer, mneme_error *error) {
    const struct reader reader = {path, error};
    char *bytes;
    size_t length;
    mneme_status status = file_read(path, MAX_FILE_BYTES, &bytes, &length, error);
    if (status != MNEME_OK) return status;
    json_error_t cause;
    json_t *root = json_parse(bytes, length, JSON_REJECT_DUPLICATES, &cause);
    free(bytes);
    if (root == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s:%d: %s", path, cause.line, cause.text);
    }
    status = load_root(&reader, root, tokenizer);
    json_decref(root);
    return status;
}
