/* Byte pair encoding as a tokenizer.json's `model` says. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "splitter/byte_alphabet.h"
#include "tokenizer/tokenizer_parts.h"

#define BLANK "\xe2\x96\x81" /* U+2581, which stands for a blank */
#define MAX_AFFIX 64

/* Missing, null, false, 0 or "": whatever the option is, it is off. */
static bool is_off(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_number(value) && json_number_value(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static mneme_status refuse_token(const struct tokenizer_file *file, const char *text,
                                 const char *cause) {
    return error_set(file->error, MNEME_BAD_INPUT, "%s: the token \"%.80s\" %s", file->path, text,
                     cause);
}

/* Gives a token the next id, or leaves a gap. Pieces cannot become a token that the model does not
 * have, nor, by bytes, one that is not written in the byte alphabet. */
static mneme_status add_name(const struct tokenizer_file *file, struct bpe *bpe,
                             const struct token_name *name) {
    const char *text = name->text == NULL ? "" : name->text;
    size_t length = strlen(text);
    if (!name->in_model || length == 0) {
        return string_map_add_hidden(&bpe->vocabulary, text, length, file->error);
    }
    char *bytes = strdup(text);
    if (bytes == NULL) return error_set_memory(file->error, "a token");
    uint32_t id;
    mneme_status status =
        bpe->by_byte && !byte_alphabet_read(bytes, strlen(text), &length)
            ? string_map_add_hidden(&bpe->vocabulary, text, strlen(text), file->error)
            : string_map_add(&bpe->vocabulary, bytes, length, &id, NULL, file->error);
    free(bytes);
    return status;
}

static int32_t find(const struct bpe *bpe, const char *text, size_t length) {
    uint32_t id = string_map_find(&bpe->vocabulary, text, length);
    return id == STRING_MAP_NONE ? TOKEN_NONE : (int32_t)id;
}

/* The tokens of bytes: of the bytes themselves, or those that characters without a token fall back
 * on. *found becomes how many bytes have one. */
static void find_bytes(const json_t *model, struct bpe *bpe, size_t *found) {
    bool falls_back = !is_off(json_object_get(model, "byte_fallback"));
    *found = 0;
    for (int byte = 0; byte < 256; byte++) {
        char text[8] = {(char)byte};
        size_t length = 1;
        if (!bpe->by_byte) length = (size_t)snprintf(text, sizeof text, "<0x%02X>", byte);
        bool is_looked_for = bpe->by_byte || falls_back;
        bpe->byte_ids[byte] = is_looked_for ? find(bpe, text, length) : TOKEN_NONE;
        *found += bpe->byte_ids[byte] != TOKEN_NONE;
    }
}

/* What becomes of a symbol without a token: the package has model.unk_token for it, or drops it. */
static mneme_status find_unknown(const struct tokenizer_file *file, const json_t *model,
                                 struct bpe *bpe) {
    const json_t *unknown = json_object_get(model, "unk_token");
    size_t found;
    find_bytes(model, bpe, &found);
    bpe->unknown = TOKEN_NONE;
    if (bpe->by_byte && found == 0) {
        return tokenizer_refuse(file, "model.vocab: no token for any byte");
    }
    if (found == 256) return MNEME_OK;
    if (bpe->by_byte && !is_off(json_object_get(model, "byte_fallback"))) {
        return tokenizer_refuse(file,
                                "model.byte_fallback: not supported in a vocabulary of bytes "
                                "that lacks some");
    }
    if (unknown == NULL || json_is_null(unknown)) return MNEME_OK;
    const json_t *id = json_is_string(unknown) ? json_object_get(json_object_get(model, "vocab"),
                                                                 json_string_value(unknown))
                                               : NULL;
    if (id == NULL) {
        return tokenizer_refuse(file, "model.unk_token: not in model.vocab, which needs it");
    }
    bpe->unknown = (int32_t)json_integer_value(id);
    bpe->fuses_unknown = json_is_true(json_object_get(model, "fuse_unk"));
    return MNEME_OK;
}

/* The two halves of a merge: "left right", or [left, right] as newer files have it. */
static bool split_merge(const json_t *merge, const char *halves[2], size_t lengths[2]) {
    if (json_is_string(merge)) {
        const char *space = strchr(json_string_value(merge), ' ');
        if (space == NULL || strchr(space + 1, ' ') != NULL) return false;
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

/* The id of a merge's half, or TOKEN_NONE in *id. */
static mneme_status find_half(const struct tokenizer_file *file, const struct bpe *bpe,
                              const char *text, size_t length, int32_t *id) {
    char *bytes = strndup(text, length);
    if (bytes == NULL) return error_set_memory(file->error, "a merge");
    if (bpe->by_byte && !byte_alphabet_read(bytes, length, &length)) {
        free(bytes);
        return refuse_token(file, text, "is not written in the byte alphabet");
    }
    *id = find(bpe, bytes, length);
    free(bytes);
    return MNEME_OK;
}

/* Adds the merge, or sets *cause to what is wrong with it. */
static mneme_status add_merge(const struct tokenizer_file *file, const json_t *merge,
                              struct bpe *bpe, const char **cause) {
    const char *halves[2];
    size_t lengths[2], n_tokens = bpe->vocabulary.n;
    int32_t ids[2], result;
    *cause = "it does not name two tokens of the vocabulary";
    if (!split_merge(merge, halves, lengths)) return MNEME_OK;
    for (int i = 0; i < 2; i++) {
        TRY(find_half(file, bpe, halves[i], lengths[i], &ids[i]));
        if (ids[i] == TOKEN_NONE) return MNEME_OK;
    }
    *cause = "its right half is shorter than continuing_subword_prefix";
    if (bpe->prefix != NULL && lengths[1] < strlen(bpe->prefix)) return MNEME_OK;
    TRY(bpe_add_merge(bpe, ids[0], ids[1], &result, file->error));
    *cause = bpe->vocabulary.n == n_tokens ? NULL : "its result is not in the vocabulary";
    return MNEME_OK;
}

static bool is_version_line(const json_t *merge) {
    return json_is_string(merge) && strncmp(json_string_value(merge), "#version", 8) == 0;
}

static mneme_status load_merges(const struct tokenizer_file *file, const json_t *model,
                                struct bpe *bpe) {
    const json_t *merges = json_object_get(model, "merges");
    if (!json_is_array(merges)) return tokenizer_refuse(file, "model.merges: not an array");
    if (json_array_size(merges) > TOKENIZER_MAX_TOKENS) {
        return tokenizer_refuse(file, "model.merges: too many");
    }
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const char *cause = NULL;
        const json_t *merge = json_array_get(merges, i);
        if (!is_version_line(merge)) TRY(add_merge(file, merge, bpe, &cause));
        if (cause == NULL) continue;
        return error_set(file->error, MNEME_BAD_INPUT, "%s: model.merges[%zu]: %s", file->path, i,
                         cause);
    }
    return MNEME_OK;
}

/* Whether a merge makes a token with a blank after another character. */
static bool crosses_words(const struct bpe *bpe, const struct bpe_merge *merge) {
    size_t left_length, right_length, width = sizeof BLANK - 1;
    const char *left = string_map_get(&bpe->vocabulary, (uint32_t)merge->left, &left_length);
    const char *right = string_map_get(&bpe->vocabulary, (uint32_t)merge->right, &right_length);
    if (right_length < width || memcmp(right, BLANK, width) != 0) return false;
    return left_length < width || memcmp(left + left_length - width, BLANK, width) != 0;
}

/* Whether a piece may be encoded word by word, each beginning with its blanks. */
static bool cuts_words(const struct bpe *bpe) {
    if (bpe->by_byte || bpe->ignores_merges || bpe->prefix != NULL || bpe->suffix != NULL) {
        return false;
    }
    bool cuts = find(bpe, BLANK, sizeof BLANK - 1) != TOKEN_NONE;
    for (size_t i = 0; cuts && i < bpe->n_merges; i++) cuts = !crosses_words(bpe, &bpe->merges[i]);
    return cuts;
}

/* What stands before symbols, or after the last. */
static mneme_status read_affix(const struct tokenizer_file *file, const json_t *model,
                               const char *key, bool by_byte, char **affix) {
    const json_t *value = json_object_get(model, key);
    if (is_off(value)) return MNEME_OK;
    const char *cause = by_byte                                 ? "not supported with ByteLevel"
                        : !json_is_string(value)                ? "not a text"
                        : json_string_length(value) > MAX_AFFIX ? "too long"
                                                                : NULL;
    if (cause != NULL) {
        return error_set(file->error, MNEME_BAD_INPUT, "%s: model.%s: %s", file->path, key, cause);
    }
    *affix = strdup(json_string_value(value));
    return *affix == NULL ? error_set_memory(file->error, file->path) : MNEME_OK;
}

mneme_status bpe_load(const struct tokenizer_file *file, const json_t *model,
                      const struct token_names *names, struct bpe *bpe) {
    if (!is_off(json_object_get(model, "dropout"))) {
        return tokenizer_refuse(file, "model.dropout: not supported");
    }
    bpe->ignores_merges = json_is_true(json_object_get(model, "ignore_merges"));
    TRY(read_affix(file, model, "continuing_subword_prefix", bpe->by_byte, &bpe->prefix));
    TRY(read_affix(file, model, "end_of_word_suffix", bpe->by_byte, &bpe->suffix));
    for (size_t i = 0; i < names->n; i++) TRY(add_name(file, bpe, &names->names[i]));
    TRY(find_unknown(file, model, bpe));
    TRY(load_merges(file, model, bpe));
    bpe->cuts_words = cuts_words(bpe);
    return MNEME_OK;
}

/* The text of a merge's result. */
static mneme_status join(const struct bpe *bpe, int32_t left, int32_t right, char **text,
                         size_t *length, mneme_error *error) {
    size_t left_length, right_length, skipped = bpe->prefix == NULL ? 0 : strlen(bpe->prefix);
    const char *start = string_map_get(&bpe->vocabulary, (uint32_t)left, &left_length);
    const char *end = string_map_get(&bpe->vocabulary, (uint32_t)right, &right_length);
    *length = left_length + right_length - skipped;
    *text = malloc(*length + 1);
    if (*text == NULL) return error_set_memory(error, "a token");
    memcpy(*text, start, left_length);
    memcpy(*text + left_length, end + skipped, right_length - skipped);
    return MNEME_OK;
}

mneme_status bpe_add_merge(struct bpe *bpe, int32_t left, int32_t right, int32_t *result,
                           mneme_error *error) {
    char *joined;
    size_t length;
    uint32_t id;
    TRY(join(bpe, left, right, &joined, &length, error));
    mneme_status status = string_map_add(&bpe->vocabulary, joined, length, &id, NULL, error);
    free(joined);
    if (status != MNEME_OK) return status;
    *result = (int32_t)id;
    TRY(memory_grow((void **)&bpe->merges, &bpe->merge_capacity, bpe->n_merges + 1,
                    sizeof *bpe->merges, "merges", error));
    bpe->merges[bpe->n_merges] = (struct bpe_merge){left, right, *result};
    status = pair_map_put(&bpe->ranks, left, right, (uint32_t)bpe->n_merges, error);
    if (status == MNEME_OK) bpe->n_merges++;
    return status;
}

void bpe_free(struct bpe *bpe) {
    string_map_free(&bpe->vocabulary);
    pair_map_free(&bpe->ranks);
    free(bpe->merges);
    free(bpe->prefix);
    free(bpe->suffix);
    *bpe = (struct bpe){0};
}
