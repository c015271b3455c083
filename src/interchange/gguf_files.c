#include "interchange/gguf_files.h"

#include "interchange/gguf_tokenizer.h"
#include "interchange/hf_files.h"

static json_t *get(const struct gguf *file, const char *key) {
    return json_object_get(file->metadata, key);
}

/* eos_token_id, and eot_token_id where it is another: a chat's turn ends a text too. */
static json_t *stops(const struct gguf *file) {
    json_t *eos = get(file, "tokenizer.ggml.eos_token_id");
    json_t *eot = get(file, "tokenizer.ggml.eot_token_id");
    if (!json_is_integer(eos)) return json_incref(eot == NULL ? json_null() : eot);
    if (!json_is_integer(eot) || json_equal(eos, eot)) return json_incref(eos);
    return json_pack("[O,O]", eos, eot);
}

static json_t *generation_config(const struct gguf *file) {
    json_t *object = json_pack(
        "{s:O?, s:O?, s:o?}", "bos_token_id", get(file, "tokenizer.ggml.bos_token_id"),
        "pad_token_id", get(file, "tokenizer.ggml.padding_token_id"), "eos_token_id", stops(file));
    return object;
}

/* The text of a token that the metadata names; null without. */
static json_t *token(const struct gguf *file, const char *key) {
    const json_t *id = get(file, key);
    json_t *text =
        json_is_integer(id) && json_integer_value(id) >= 0
            ? json_array_get(get(file, "tokenizer.ggml.tokens"), (size_t)json_integer_value(id))
            : NULL;
    return text == NULL ? json_null() : json_incref(text);
}

static json_t *tokenizer_config(const struct gguf *file) {
    json_t *object = json_pack(
        "{s:s, s:o, s:o, s:o, s:b}", "tokenizer_class", "PreTrainedTokenizerFast", "bos_token",
        token(file, "tokenizer.ggml.bos_token_id"), "eos_token",
        token(file, "tokenizer.ggml.eos_token_id"), "unk_token",
        token(file, "tokenizer.ggml.unknown_token_id"), "clean_up_tokenization_spaces", 0);
    json_t *template = get(file, "tokenizer.chat_template");
    if (json_is_string(template)) json_object_set(object, "chat_template", template);
    return object;
}

static mneme_status write_files(const struct gguf *file, const char *folder, mneme_error *error) {
    json_t *root;
    TRY(gguf_tokenizer(file, &root, error));
    if (root == NULL) return MNEME_OK;
    TRY(hf_files_write(folder, "tokenizer.json", root, error));
    TRY(hf_files_write(folder, "tokenizer_config.json", tokenizer_config(file), error));
    return hf_files_write(folder, "generation_config.json", generation_config(file), error);
}

mneme_status gguf_files_import(const char *path, const char *folder, mneme_error *error) {
    struct gguf file;
    TRY(gguf_open(&file, path, error));
    mneme_status status = write_files(&file, folder, error);
    gguf_close(&file);
    return status;
}
