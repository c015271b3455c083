/* Reading a tokenizer from a tokenizer.json. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_parts.h"

#define MAX_FILE_BYTES ((size_t)256 << 20)

static bool string_is(const json_t *value, const char *expected) {
    return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

/* Missing, null, false or "": whatever the option is, it is off. */
static bool is_off(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) || string_is(value, "");
}

/* Refuses the options of the format that change ids and that mneme does not have. `truncation` and
 * `padding` say how the package was last used, and change no text here. */
static mneme_status check_options(const struct tokenizer_file *file, const json_t *root) {
    static const char *const in_model[] = {"dropout", "continuing_subword_prefix",
                                           "end_of_word_suffix"};
    const json_t *model = json_object_get(root, "model");
    for (size_t i = 0; i < sizeof in_model / sizeof *in_model; i++) {
        if (is_off(json_object_get(model, in_model[i]))) continue;
        return error_set(file->error, MNEME_BAD_INPUT, "%s: model.%s: not supported", file->path,
                         in_model[i]);
    }
    if (!string_is(json_object_get(json_object_get(root, "decoder"), "type"), "ByteLevel")) {
        return tokenizer_refuse(file, "decoder: only ByteLevel is supported");
    }
    return MNEME_OK;
}

/* The id of the first of the texts that is an added token, or -1. */
static int32_t find_added(const struct token_names *names, const char *const *texts,
                          size_t n_texts) {
    for (size_t i = 0; i < n_texts; i++) {
        for (size_t id = 0; id < names->n; id++) {
            if (names->names[id].is_added && strcmp(names->names[id].text, texts[i]) == 0) {
                return (int32_t)id;
            }
        }
    }
    return -1;
}

static void find_ends(const struct token_names *names, struct tokenizer *tokenizer) {
    static const char *const starts[] = {"<|begin_of_text|>", "<s>"};
    static const char *const ends[] = {TOKENIZER_END_OF_TEXT, "<|endoftext|>", "</s>",
                                       "<|im_end|>"};
    tokenizer->end_of_text = find_added(names, ends, sizeof ends / sizeof *ends);
    tokenizer->start_of_text = find_added(names, starts, sizeof starts / sizeof *starts);
    if (tokenizer->start_of_text < 0) tokenizer->start_of_text = tokenizer->end_of_text;
}

/* The bytes of a token written in the byte alphabet; the caller frees them. */
static mneme_status read_token(const struct tokenizer_file *file, const char *text,
                               size_t text_length, char **bytes, size_t *length) {
    *bytes = strndup(text, text_length);
    if (*bytes == NULL) return error_set_memory(file->error, "a token");
    if (*text != '\0' && byte_alphabet_read(*bytes, strlen(*bytes), length)) return MNEME_OK;
    free(*bytes);
    *bytes = NULL;
    return error_set(file->error, MNEME_BAD_INPUT,
                     "%s: the token \"%.80s\" is not written in the byte alphabet", file->path,
                     text);
}

/* Merges can make the token: it is in model.vocab, written in the byte alphabet. A special token
 * need not be. */
static bool is_mergeable(const struct token_name *name) {
    if (!name->in_model || !name->is_added) return name->in_model;
    size_t length;
    char *bytes = strdup(name->text);
    bool readable = bytes != NULL && byte_alphabet_read(bytes, strlen(bytes), &length);
    free(bytes);
    return readable;
}

/* Gives a token the next id, or leaves a gap. */
static mneme_status add_name(const struct tokenizer_file *file, struct tokenizer *tokenizer,
                             const struct token_name *name) {
    char *bytes;
    size_t length;
    uint32_t id;
    bool added;
    if (name->text == NULL) {
        return string_map_add_hidden(&tokenizer->vocabulary, "", 0, file->error);
    }
    if (name->in_model) tokenizer->n_model_ids = tokenizer->vocabulary.n + 1;
    if (!is_mergeable(name)) {
        return string_map_add_hidden(&tokenizer->vocabulary, name->text, strlen(name->text),
                                     file->error);
    }
    TRY(read_token(file, name->text, strlen(name->text), &bytes, &length));
    mneme_status status =
        string_map_add(&tokenizer->vocabulary, bytes, length, &id, &added, file->error);
    free(bytes);
    if (status == MNEME_OK && !added) {
        status = tokenizer_refuse(file, "model.vocab: two tokens have the same bytes");
    }
    return status;
}

/* What becomes of a byte without a token: the package has model.unk_token for it, or drops it. */
static mneme_status find_unknown(const struct tokenizer_file *file, const json_t *model,
                                 struct tokenizer *tokenizer) {
    const json_t *unknown = json_object_get(model, "unk_token");
    if (!is_off(json_object_get(model, "byte_fallback"))) {
        return tokenizer_refuse(file,
                                "model.byte_fallback: not supported in a vocabulary that "
                                "lacks bytes");
    }
    if (is_off(unknown)) return MNEME_OK;
    const json_t *id = json_is_string(unknown) ? json_object_get(json_object_get(model, "vocab"),
                                                                 json_string_value(unknown))
                                               : NULL;
    if (id == NULL) {
        return tokenizer_refuse(file, "model.unk_token: not in model.vocab, which lacks bytes");
    }
    tokenizer->unknown = (int32_t)json_integer_value(id);
    tokenizer->fuses_unknown = json_is_true(json_object_get(model, "fuse_unk"));
    return MNEME_OK;
}

static mneme_status find_bytes(const struct tokenizer_file *file, const json_t *model,
                               struct tokenizer *tokenizer) {
    size_t found = 0;
    for (int byte = 0; byte < 256; byte++) {
        char text = (char)byte;
        uint32_t id = string_map_find(&tokenizer->vocabulary, &text, 1);
        tokenizer->byte_ids[byte] = id == STRING_MAP_NONE ? TOKEN_NONE : (int32_t)id;
        found += id != STRING_MAP_NONE;
    }
    tokenizer->unknown = TOKEN_NONE;
    if (found == 0) return tokenizer_refuse(file, "model.vocab: no token for any byte");
    return found == 256 ? MNEME_OK : find_unknown(file, model, tokenizer);
}

/* The ids of all tokens, and which token starts and ends texts. */
static mneme_status load_vocabulary(const struct tokenizer_file *file, const json_t *model,
                                    const struct token_names *names, struct tokenizer *tokenizer) {
    mneme_status status = MNEME_OK;
    find_ends(names, tokenizer);
    for (size_t i = 0; status == MNEME_OK && i < names->n; i++) {
        status = add_name(file, tokenizer, &names->names[i]);
    }
    return status == MNEME_OK ? find_bytes(file, model, tokenizer) : status;
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
static mneme_status find_half(const struct tokenizer_file *file, const struct tokenizer *tokenizer,
                              const char *text, size_t text_length, uint32_t *id) {
    char *bytes;
    size_t length;
    TRY(read_token(file, text, text_length, &bytes, &length));
    *id = string_map_find(&tokenizer->vocabulary, bytes, length);
    free(bytes);
    return MNEME_OK;
}

/* Adds the merge, or sets *cause to what is wrong with it. */
static mneme_status add_merge(const struct tokenizer_file *file, const json_t *merge,
                              struct tokenizer *tokenizer, const char **cause) {
    const char *halves[2];
    size_t lengths[2], n_tokens = tokenizer->vocabulary.n;
    uint32_t ids[2];
    *cause = "it does not name two tokens of the vocabulary";
    if (!split_merge(merge, halves, lengths)) return MNEME_OK;
    for (int i = 0; i < 2; i++) {
        TRY(find_half(file, tokenizer, halves[i], lengths[i], &ids[i]));
        if (ids[i] == STRING_MAP_NONE || ids[i] == (uint32_t)tokenizer->end_of_text) {
            return MNEME_OK;
        }
    }
    *cause = "it repeats an earlier merge";
    int32_t left = (int32_t)ids[0], right = (int32_t)ids[1], result;
    if (pair_map_get(&tokenizer->ranks, left, right) != PAIR_MAP_NONE) return MNEME_OK;
    TRY(tokenizer_add_merge(tokenizer, left, right, &result, file->error));
    bool is_token = tokenizer->vocabulary.n == n_tokens && result != tokenizer->end_of_text;
    *cause = is_token ? NULL : "its result is not in the vocabulary";
    return MNEME_OK;
}

static mneme_status load_merge(const struct tokenizer_file *file, const json_t *merge,
                               size_t number, struct tokenizer *tokenizer) {
    const char *cause;
    TRY(add_merge(file, merge, tokenizer, &cause));
    if (cause == NULL) return MNEME_OK;
    return error_set(file->error, MNEME_BAD_INPUT, "%s: model.merges[%zu]: %s", file->path, number,
                     cause);
}

static mneme_status load_merges(const struct tokenizer_file *file, const json_t *root,
                                struct tokenizer *tokenizer) {
    const json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    if (!json_is_array(merges)) return tokenizer_refuse(file, "model.merges: not an array");
    if (json_array_size(merges) > TOKENIZER_MAX_TOKENS) {
        return tokenizer_refuse(file, "model.merges: too many");
    }
    for (size_t i = 0; i < json_array_size(merges); i++) {
        TRY(load_merge(file, json_array_get(merges, i), i, tokenizer));
    }
    return MNEME_OK;
}

/* The special texts among the names; the caller frees the list. */
static mneme_status list_specials(const struct tokenizer_file *file,
                                  const struct token_names *names, struct split_special **specials,
                                  size_t *n) {
    struct split_special *list = calloc(names->n, sizeof *list);
    if (list == NULL) return error_set_memory(file->error, "special tokens");
    *n = 0;
    for (size_t id = 0; id < names->n; id++) {
        const struct token_name *name = &names->names[id];
        if (!name->is_added) continue;
        list[(*n)++] =
            (struct split_special){name->text, (int32_t)id, name->is_normalized, !name->is_special};
    }
    *specials = list;
    return MNEME_OK;
}

static mneme_status load_named(const struct tokenizer_file *file, const json_t *root,
                               const struct token_names *names, struct tokenizer **tokenizer) {
    struct split_plan plan = {0};
    struct split_special *specials = NULL;
    const json_t *model = json_object_get(root, "model");
    mneme_status status = tokenizer_read_rules(json_object_get(root, "pre_tokenizer"), file->path,
                                               &plan, file->error);
    THEN(list_specials(file, names, &specials, &plan.n_specials));
    plan.specials = specials;
    plan.normalizer = json_object_get(root, "normalizer");
    THEN(tokenizer_open(&plan, file->path, tokenizer, file->error));
    free(specials);
    if (status != MNEME_OK) return status;
    (*tokenizer)->ignores_merges = json_is_true(json_object_get(model, "ignore_merges"));
    TRY(load_vocabulary(file, model, names, *tokenizer));
    TRY(tokenizer_read_frame(file, json_object_get(root, "post_processor"), &(*tokenizer)->frame));
    return load_merges(file, root, *tokenizer);
}

static mneme_status load_root(const struct tokenizer_file *file, const json_t *root,
                              struct tokenizer **tokenizer) {
    const json_t *model = json_object_get(root, "model");
    if (!string_is(json_object_get(model, "type"), "BPE")) {
        return tokenizer_refuse(file, "model.type: expected \"BPE\"");
    }
    struct token_names names = {0};
    mneme_status status = check_options(file, root);
    THEN(token_names_read(file, root, &names));
    THEN(load_named(file, root, &names, tokenizer));
    token_names_free(&names);
    return status;
}

mneme_status tokenizer_load(const char *path, struct tokenizer **tokenizer, mneme_error *error) {
    const struct tokenizer_file file = {path, error};
    struct tokenizer *loaded = NULL;
    char *bytes;
    size_t length;
    TRY(file_read(path, MAX_FILE_BYTES, &bytes, &length, error));
    json_error_t cause;
    json_t *root = json_parse(bytes, length, JSON_REJECT_DUPLICATES, &cause);
    mneme_status status =
        root == NULL ? error_set(error, MNEME_BAD_INPUT, "%s:%d: %s", path, cause.line, cause.text)
                     : load_root(&file, root, &loaded);
    json_decref(root);
    if (status == MNEME_OK && (loaded->path = strdup(path)) == NULL) {
        status = error_set_memory(error, path);
    }
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
