#include <jansson.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json_write.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_parts.h"

/* {token: id}, in the order of the ids. NULL without memory. */
static json_t *vocabulary_json(const struct tokenizer *tokenizer) {
    json_t *vocabulary = json_object();
    for (size_t id = 0; id < tokenizer->bpe.vocabulary.n && vocabulary != NULL; id++) {
        char *text = tokenizer_token_text(tokenizer, (int32_t)id);
        if (text == NULL ||
            json_object_set_new(vocabulary, text, json_integer((json_int_t)id)) != 0) {
            json_decref(vocabulary);
            vocabulary = NULL;
        }
        free(text);
    }
    return vocabulary;
}

/* ["left right", ...]; no token's text holds a space. NULL without memory. */
static json_t *merges_json(const struct tokenizer *tokenizer) {
    json_t *merges = json_array();
    for (size_t i = 0; i < tokenizer->bpe.n_merges && merges != NULL; i++) {
        char *left = tokenizer_token_text(tokenizer, tokenizer->bpe.merges[i].left);
        char *right = tokenizer_token_text(tokenizer, tokenizer->bpe.merges[i].right);
        json_t *line = left == NULL || right == NULL ? NULL : json_sprintf("%s %s", left, right);
        if (json_array_append_new(merges, line) != 0) {
            json_decref(merges);
            merges = NULL;
        }
        free(left);
        free(right);
    }
    return merges;
}

static json_t *model_json(const struct tokenizer *tokenizer) {
    return json_pack("{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:o, s:o}", "type", "BPE", "dropout",
                     "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0,
                     "byte_fallback", 0, "ignore_merges", 0, "vocab", vocabulary_json(tokenizer),
                     "merges", merges_json(tokenizer));
}

static json_t *pre_tokenizer_json(const struct tokenizer *tokenizer) {
    return json_pack("{s:s, s:[{s:s, s:{s:s}, s:s, s:b}, {s:s, s:b, s:b, s:b}]}", "type",
                     "Sequence", "pretokenizers", "type", "Split", "pattern", "Regex",
                     tokenizer->pattern, "behavior", "Isolated", "invert", 0, "type", "ByteLevel",
                     "add_prefix_space", 0, "trim_offsets", 1, "use_regex", 0);
}

static json_t *tokenizer_json(const struct tokenizer *tokenizer) {
    json_t *end_of_text =
        json_pack("{s:i, s:s, s:b, s:b, s:b, s:b, s:b}", "id", (int)tokenizer->end_of_text,
                  "content", TOKENIZER_END_OF_TEXT, "single_word", 0, "lstrip", 0, "rstrip", 0,
                  "normalized", 0, "special", 1);
    json_t *decoder = json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                                "trim_offsets", 1, "use_regex", 0);
    return json_pack("{s:s, s:n, s:n, s:[o], s:n, s:o, s:n, s:o, s:o}", "version", "1.0",
                     "truncation", "padding", "added_tokens", end_of_text, "normalizer",
                     "pre_tokenizer", pre_tokenizer_json(tokenizer), "post_processor", "decoder",
                     decoder, "model", model_json(tokenizer));
}

mneme_status tokenizer_save(const struct tokenizer *tokenizer, const char *path,
                            mneme_error *error) {
    if (tokenizer->source != NULL) {
        return file_write_atomic(path, tokenizer->source, tokenizer->source_length, error);
    }
    json_t *root = tokenizer_json(tokenizer);
    if (root == NULL) return error_set_memory(error, "tokenizer.json");
    mneme_status status = json_write_file(path, root, error);
    json_decref(root);
    return status;
}
