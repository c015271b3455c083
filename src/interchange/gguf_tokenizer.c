#include "interchange/gguf_tokenizer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"

enum pretokenizer_option {
    BYTE_LEVEL_REGEX = 1, /* ByteLevel cuts by GPT-2's pattern too */
    NORMALIZES_NFC = 2,
    IGNORES_MERGES = 4, /* a piece that is a token is that token */
    ADDS_BOS = 8        /* where the file does not say */
};

static const struct pretokenizer {
    const char *names, *splits;
    int options;
} pretokenizers[] = {
#define PRETOKENIZER(names, splits, options) {names, splits, options},
#include "interchange/gguf_pretokenizers.def"
#undef PRETOKENIZER
};

/* `tokenizer.ggml.token_type` of tokens that are no ordinary ones. */
enum { TOKEN_CONTROL = 3, TOKEN_USER_DEFINED = 4 };

static const json_t *get(const struct gguf *file, const char *key) {
    char name[64];
    snprintf(name, sizeof name, "tokenizer.ggml.%s", key);
    return json_object_get(file->metadata, name);
}

static mneme_status refuse(const struct gguf *file, const char *key, const char *cause,
                           mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: tokenizer.ggml.%s: %s", file->file.path, key,
                     cause);
}

/* The id of a token that the metadata names, or -1. */
static json_int_t token_id(const struct gguf *file, const char *key) {
    const json_t *id = get(file, key);
    size_t n = json_array_size(get(file, "tokens"));
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    return value >= 0 && (uint64_t)value < n ? value : -1;
}

static const char *token_text(const struct gguf *file, json_int_t id) {
    return id < 0 ? NULL : json_string_value(json_array_get(get(file, "tokens"), (size_t)id));
}

static bool says(const struct gguf *file, const char *key, bool otherwise) {
    const json_t *value = get(file, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

/* Ids by text. A file may repeat a text (reserved tokens do); the first has it. */
static mneme_status make_vocabulary(const struct gguf *file, json_t **vocabulary,
                                    mneme_error *error) {
    const json_t *tokens = get(file, "tokens");
    json_t *made = json_object();
    mneme_status status = made == NULL ? error_set_memory(error, "a vocabulary") : MNEME_OK;
    for (size_t i = 0; i < json_array_size(tokens) && status == MNEME_OK; i++) {
        const char *text = json_string_value(json_array_get(tokens, i));
        if (text == NULL) {
            status = refuse(file, "tokens", "holds something that is no text", error);
        } else if (json_object_get(made, text) != NULL) {
            status = refuse(file, "tokens", "a text stands there twice", error);
        } else if (json_object_set_new(made, text, json_integer((json_int_t)i)) != 0) {
            status = error_set_memory(error, "a vocabulary");
        }
    }
    if (status != MNEME_OK) json_decref(made);
    if (status == MNEME_OK) *vocabulary = made;
    return status;
}

/* The tokens that stand for themselves wherever their text stands. */
static json_t *make_added_tokens(const struct gguf *file) {
    const json_t *tokens = get(file, "tokens"), *types = get(file, "token_type");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(tokens) && i < json_array_size(types); i++) {
        json_int_t type = json_integer_value(json_array_get(types, i));
        if (type != TOKEN_CONTROL && type != TOKEN_USER_DEFINED) continue;
        json_array_append_new(
            list, json_pack("{s:I, s:O, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)i, "content",
                            json_array_get(tokens, i), "single_word", 0, "lstrip", 0, "rstrip", 0,
                            "normalized", 0, "special", type == TOKEN_CONTROL));
    }
    return list;
}

/* TemplateProcessing that puts the bos token before a text; null without. */
static json_t *make_post_processor(const struct gguf *file, bool adds_bos) {
    json_int_t id = token_id(file, "bos_token_id");
    const char *bos = token_text(file, id);
    if (bos == NULL || !says(file, "add_bos_token", adds_bos)) return json_null();
    return json_pack(
        "{s:s, s:[{s:{s:s,s:i}}, {s:{s:s,s:i}}],"
        " s:[{s:{s:s,s:i}}, {s:{s:s,s:i}}, {s:{s:s,s:i}}, {s:{s:s,s:i}}],"
        " s:{s:{s:s, s:[I], s:[s]}}}",
        "type", "TemplateProcessing", "single", "SpecialToken", "id", bos, "type_id", 0, "Sequence",
        "id", "A", "type_id", 0, "pair", "SpecialToken", "id", bos, "type_id", 0, "Sequence", "id",
        "A", "type_id", 0, "SpecialToken", "id", bos, "type_id", 1, "Sequence", "id", "B",
        "type_id", 1, "special_tokens", bos, "id", bos, "ids", id, "tokens", bos);
}

/* tokenizer.json of its parts, which it takes over; NULL when memory is short. */
static json_t *make_root(const struct gguf *file, bool adds_bos, json_t *normalizer,
                         json_t *pre_tokenizer, json_t *decoder, json_t *model) {
    return json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:o}", "version", "1.0",
                     "truncation", "padding", "added_tokens", make_added_tokens(file), "normalizer",
                     normalizer, "pre_tokenizer", pre_tokenizer, "post_processor",
                     make_post_processor(file, adds_bos), "decoder", decoder, "model", model);
}

static json_t *byte_level(bool use_regex) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                     "trim_offsets", 1, "use_regex", use_regex);
}

/* The splits of a line of the table, then ByteLevel. */
static json_t *make_pre_tokenizer(const struct pretokenizer *pre) {
    char list[8192];
    json_error_t cause;
    size_t length = strlen(pre->splits);
    snprintf(list, sizeof list, "[%.*s]", (int)(length == 0 ? 0 : length - 1), pre->splits);
    json_t *parts = json_parse(list, strlen(list), 0, &cause);
    json_array_append_new(parts, byte_level((pre->options & BYTE_LEVEL_REGEX) != 0));
    return json_pack("{s:s, s:o}", "type", "Sequence", "pretokenizers", parts);
}

static mneme_status find_pretokenizer(const struct gguf *file, const struct pretokenizer **found,
                                      mneme_error *error) {
    const char *name = json_string_value(get(file, "pre"));
    char word[128];
    snprintf(word, sizeof word, " %.100s ", name == NULL ? "" : name);
    for (size_t i = 0; i < sizeof pretokenizers / sizeof *pretokenizers; i++) {
        *found = &pretokenizers[i];
        if (strstr(pretokenizers[i].names, word) != NULL) return MNEME_OK;
    }
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: tokenizer.ggml.pre: `%.100s`: how it cuts texts is not known",
                     file->file.path, name == NULL ? "(missing)" : name);
}

static mneme_status make_byte_level(const struct gguf *file, json_t *vocabulary, json_t **root,
                                    mneme_error *error) {
    const struct pretokenizer *pre;
    TRY(find_pretokenizer(file, &pre, error));
    if (!json_is_array(get(file, "merges"))) return refuse(file, "merges", "missing", error);
    json_t *normalizer =
        (pre->options & NORMALIZES_NFC) != 0 ? json_pack("{s:s}", "type", "NFC") : json_null();
    json_t *model =
        json_pack("{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:O, s:O}", "type", "BPE", "dropout",
                  "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0,
                  "byte_fallback", 0, "ignore_merges", (pre->options & IGNORES_MERGES) != 0,
                  "vocab", vocabulary, "merges", get(file, "merges"));
    *root = make_root(file, (pre->options & ADDS_BOS) != 0, normalizer, make_pre_tokenizer(pre),
                      byte_level(true), model);
    return *root == NULL ? error_set_memory(error, "a tokenizer") : MNEME_OK;
}

/* Two tokens that make a third, and what decides their place among the merges. */
struct merge {
    const char *text; /* of both */
    size_t left, length;
    size_t left_characters, right_characters;
    double score;
    size_t order; /* among equals, as they were found */
};

/* Higher scores first, then longer halves, as transformers sorts them (stably, reversed). */
static int compare_merges(const void *a, const void *b) {
    const struct merge *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    if (x->left_characters != y->left_characters) {
        return x->left_characters > y->left_characters ? -1 : 1;
    }
    if (x->right_characters != y->right_characters) {
        return x->right_characters > y->right_characters ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

/* Two halves of one token and their ids, which order them. */
struct halves {
    json_int_t left, right;
    struct merge merge;
};

static int compare_halves(const void *a, const void *b) {
    const struct halves *x = a, *y = b;
    if (x->left != y->left) return x->left < y->left ? -1 : 1;
    return (x->right > y->right) - (x->right < y->right);
}

static size_t count_characters(const char *text, size_t length) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

struct merges {
    struct merge *list;
    size_t n, capacity;
    struct halves *halves; /* of one token */
    size_t n_halves, halves_capacity;
};

/* Adds the merges that make a token: each cut of it into two tokens. */
static mneme_status add_merges(const json_t *vocabulary, const char *text, double score,
                               struct merges *merges, mneme_error *error) {
    size_t length = strlen(text);
    merges->n_halves = 0;
    TRY(memory_grow((void **)&merges->halves, &merges->halves_capacity, length + 1,
                    sizeof *merges->halves, "merges", error));
    for (size_t cut = 1; cut < length; cut++) {
        if (((unsigned char)text[cut] & 0xc0) == 0x80) continue;
        const json_t *left = json_object_getn(vocabulary, text, cut);
        const json_t *right = json_object_get(vocabulary, text + cut);
        if (left == NULL || right == NULL) continue;
        merges->halves[merges->n_halves++] =
            (struct halves){json_integer_value(left),
                            json_integer_value(right),
                            {.text = text,
                             .left = cut,
                             .length = length,
                             .left_characters = count_characters(text, cut),
                             .right_characters = count_characters(text + cut, length - cut),
                             .score = score}};
    }
    if (merges->n_halves > 1) {
        qsort(merges->halves, merges->n_halves, sizeof *merges->halves, compare_halves);
    }
    TRY(memory_grow((void **)&merges->list, &merges->capacity, merges->n + merges->n_halves + 1,
                    sizeof *merges->list, "merges", error));
    for (size_t i = 0; i < merges->n_halves; i++) {
        merges->halves[i].merge.order = merges->n;
        merges->list[merges->n++] = merges->halves[i].merge;
    }
    return MNEME_OK;
}

static mneme_status find_merges(const struct gguf *file, const json_t *vocabulary,
                                struct merges *merges, mneme_error *error) {
    const json_t *tokens = get(file, "tokens"), *scores = get(file, "scores");
    if (json_array_size(scores) != json_array_size(tokens)) {
        return refuse(file, "scores", "must be as many as tokens", error);
    }
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        double score = json_number_value(json_array_get(scores, i));
        TRY(add_merges(vocabulary, json_string_value(json_array_get(tokens, i)), score, merges,
                       error));
    }
    if (merges->n > 1) qsort(merges->list, merges->n, sizeof *merges->list, compare_merges);
    return MNEME_OK;
}

static json_t *merges_json(const struct merges *merges) {
    json_t *list = json_array();
    for (size_t i = 0; i < merges->n; i++) {
        const struct merge *m = &merges->list[i];
        json_array_append_new(list,
                              json_pack("[o,o]", json_stringn(m->text, m->left),
                                        json_stringn(m->text + m->left, m->length - m->left)));
    }
    return list;
}

static mneme_status make_sentence_piece(const struct gguf *file, json_t *vocabulary, json_t **root,
                                        mneme_error *error) {
    struct merges merges = {0};
    const char *unknown = token_text(file, token_id(file, "unknown_token_id"));
    mneme_status status = find_merges(file, vocabulary, &merges, error);
    if (status == MNEME_OK) {
        json_t *replace = json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", "String",
                                    " ", "content", "▁");
        json_t *normalizer =
            says(file, "add_space_prefix", true)
                ? json_pack("{s:s, s:[{s:s, s:s}, o]}", "type", "Sequence", "normalizers", "type",
                            "Prepend", "prepend", "▁", replace)
                : replace;
        json_t *decoder =
            json_pack("{s:s, s:[{s:s, s:{s:s}, s:s}, {s:s}, {s:s}, {s:s, s:s, s:i, s:i}]}", "type",
                      "Sequence", "decoders", "type", "Replace", "pattern", "String", "▁",
                      "content", " ", "type", "ByteFallback", "type", "Fuse", "type", "Strip",
                      "content", " ", "start", 1, "stop", 0);
        json_t *model =
            json_pack("{s:s, s:n, s:s?, s:n, s:n, s:b, s:b, s:b, s:O, s:o}", "type", "BPE",
                      "dropout", "unk_token", unknown, "continuing_subword_prefix",
                      "end_of_word_suffix", "fuse_unk", 1, "byte_fallback", 1, "ignore_merges", 0,
                      "vocab", vocabulary, "merges", merges_json(&merges));
        *root = make_root(file, true, normalizer, json_null(), decoder, model);
        if (*root == NULL) status = error_set_memory(error, "a tokenizer");
    }
    free(merges.list);
    free(merges.halves);
    return status;
}

mneme_status gguf_tokenizer(const struct gguf *file, json_t **root, mneme_error *error) {
    const char *kind = json_string_value(get(file, "model"));
    json_t *vocabulary = NULL;
    *root = NULL;
    if (kind == NULL || strcmp(kind, "none") == 0) return MNEME_OK;
    bool is_byte_level = strcmp(kind, "gpt2") == 0;
    if (!is_byte_level && strcmp(kind, "llama") != 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: tokenizer.ggml.model: `%.64s`: must be gpt2 or llama",
                         file->file.path, kind);
    }
    if (!json_is_array(get(file, "tokens"))) return refuse(file, "tokens", "missing", error);
    TRY(make_vocabulary(file, &vocabulary, error));
    mneme_status status =
        (is_byte_level ? make_byte_level : make_sentence_piece)(file, vocabulary, root, error);
    json_decref(vocabulary);
    return status;
}
