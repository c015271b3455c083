#include "interchange/hf_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/text.h"
#include "generate/text_ends.h"

#define CONFIG "config.json"
#define GENERATION "generation_config.json"
#define TOKENIZER "tokenizer.json"
#define TOKENIZER_CONFIG "tokenizer_config.json"
#define SPECIAL_TOKENS "special_tokens_map.json"
#define CHAT_TEMPLATE "chat_template.jinja"

#define MAX_TOKENIZER_BYTES ((size_t)256 << 20)

static mneme_status read_object(const char *folder, const char *name, size_t most, json_t **object,
                                mneme_error *error) {
    return json_read_file(path_in(folder, "%s", name).text, most, object, error);
}

/* Copies a file as it is; one that is not there is none to copy. */
static mneme_status copy(const char *source, const char *folder, const char *name,
                         mneme_error *error) {
    struct path from = path_in(source, "%s", name);
    char *bytes = NULL;
    size_t length;
    if (!file_exists(from.text)) return MNEME_OK;
    TRY(file_read(from.text, JSON_MAX_BYTES, &bytes, &length, error));
    mneme_status status = file_write_atomic(path_in(folder, "%s", name).text, bytes, length, error);
    free(bytes);
    return status;
}

mneme_status hf_files_write(const char *folder, const char *name, json_t *object,
                            mneme_error *error) {
    struct path path = path_in(folder, "%s", name);
    mneme_status status = object == NULL ? error_set_memory(error, path.text)
                                         : json_write_file(path.text, object, error);
    json_decref(object);
    return status;
}

/* A key with an id, as it stands or, where it is missing and is known without, as that is. */
static void take_id(const json_t *theirs, const char *key, const int32_t *without, json_t *ours) {
    json_t *id = json_object_get(theirs, key);
    if (id != NULL) {
        json_object_set(ours, key, id);
    } else if (without != NULL) {
        json_object_set_new(ours, key, json_integer(*without));
    }
}

mneme_status hf_files_import_ends(const char *source, bool is_hf, const char *folder,
                                  mneme_error *error) {
    static const int32_t start = TEXT_ENDS_LLAMA_START, stop = TEXT_ENDS_LLAMA_STOP;
    struct text_ends ends;
    json_t *theirs = NULL, *ours = NULL;
    TRY(text_ends_read(source, &ends, error));
    mneme_status status = read_object(source, CONFIG, JSON_MAX_BYTES, &theirs, error);
    THEN(read_object(folder, CONFIG, JSON_MAX_BYTES, &ours, error));
    if (status == MNEME_OK) {
        json_t *pad = json_object_get(theirs, "pad_token_id");
        take_id(theirs, "bos_token_id", is_hf ? &start : NULL, ours);
        take_id(theirs, "eos_token_id", is_hf ? &stop : NULL, ours);
        if (json_is_integer(pad)) json_object_set(ours, "pad_token_id", pad);
        status = hf_files_write(folder, CONFIG, json_incref(ours), error);
    }
    THEN(copy(source, folder, GENERATION, error));
    json_decref(ours);
    json_decref(theirs);
    return status;
}

mneme_status hf_files_import_tokenizer(const char *source, const char *folder, mneme_error *error) {
    TRY(copy(source, folder, TOKENIZER_CONFIG, error));
    TRY(copy(source, folder, SPECIAL_TOKENS, error));
    return copy(source, folder, CHAT_TEMPLATE, error);
}

/* An id, or null. */
static json_t *id_json(int32_t id) {
    return id == TOKEN_NONE ? json_null() : json_integer(id);
}

/* Where texts of the model folder start and end. */
static mneme_status find_ends(const char *source, const struct tokenizer *tokenizer,
                              struct text_ends *ends, mneme_error *error) {
    TRY(text_ends_read(source, ends, error));
    if (!ends->are_given && tokenizer != NULL) text_ends_of_tokenizer(tokenizer, ends);
    return MNEME_OK;
}

static json_t *stops_json(const struct text_ends *ends) {
    if (ends->n_stops < 2) return id_json(ends->n_stops == 0 ? TOKEN_NONE : ends->stops[0]);
    json_t *list = json_array();
    for (size_t i = 0; i < ends->n_stops; i++) {
        json_array_append_new(list, json_integer(ends->stops[i]));
    }
    return list;
}

mneme_status hf_files_export_ends(const char *source, const struct tokenizer *tokenizer,
                                  json_t *config, mneme_error *error) {
    static const char *const names[] = {"bos_token_id", "eos_token_id", "pad_token_id"};
    struct text_ends ends;
    json_t *ours = NULL;
    TRY(find_ends(source, tokenizer, &ends, error));
    TRY(read_object(source, CONFIG, JSON_MAX_BYTES, &ours, error));
    json_object_set_new(config, names[0], id_json(ends.start));
    json_object_set_new(config, names[1], stops_json(&ends));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *value = json_object_get(ours, names[i]);
        if (value != NULL) json_object_set(config, names[i], value);
    }
    json_decref(ours);
    return MNEME_OK;
}

static mneme_status export_generation(const char *source, const struct text_ends *ends,
                                      const char *folder, mneme_error *error) {
    if (file_exists(path_in(source, GENERATION).text)) {
        return copy(source, folder, GENERATION, error);
    }
    return hf_files_write(folder, GENERATION,
                          json_pack("{s:o, s:o}", "bos_token_id", id_json(ends->start),
                                    "eos_token_id", stops_json(ends)),
                          error);
}

/* The text of an added token of a tokenizer.json, or NULL. */
static const char *added_text(const json_t *tokenizer, int32_t id) {
    const json_t *added = json_object_get(tokenizer, "added_tokens");
    for (size_t i = 0; id != TOKEN_NONE && i < json_array_size(added); i++) {
        const json_t *token = json_array_get(added, i);
        if (json_integer_value(json_object_get(token, "id")) != id) continue;
        return json_string_value(json_object_get(token, "content"));
    }
    return NULL;
}

static void set_text(json_t *object, const char *key, const char *text) {
    if (text != NULL) json_object_set_new(object, key, json_string(text));
}

/* {"bos_token": …, "eos_token": …}, those that there are. */
static json_t *special_tokens(const json_t *tokenizer, const struct text_ends *ends) {
    json_t *object = json_object();
    set_text(object, "bos_token", added_text(tokenizer, ends->start));
    set_text(object, "eos_token",
             added_text(tokenizer, ends->n_stops == 0 ? TOKEN_NONE : ends->stops[0]));
    return object;
}

/* The class that every version of transformers knows, which does what tokenizer.json says. Left to
 * themselves some versions make token types, which a Llama has not. */
static json_t *new_tokenizer_config(const json_t *tokenizer, const struct text_ends *ends,
                                    size_t max_seq_len) {
    json_t *object = special_tokens(tokenizer, ends);
    json_object_set_new(object, "tokenizer_class", json_string("PreTrainedTokenizerFast"));
    json_object_set_new(object, "clean_up_tokenization_spaces", json_false());
    json_object_set_new(object, "model_max_length", json_integer((json_int_t)max_seq_len));
    json_object_set_new(object, "model_input_names",
                        json_pack("[s, s]", "input_ids", "attention_mask"));
    return object;
}

/* Copies a tokenizer_config.json, with the name that version 5 has for that class in the name that
 * version 4 knows, too. The rest stays byte for byte: it may have integers that JSON libraries do
 * not take. */
static mneme_status copy_tokenizer_config(const char *source, const char *folder,
                                          mneme_error *error) {
    static const char theirs[] = "\"TokenizersBackend\"", ours[] = "\"PreTrainedTokenizerFast\"";
    static const char inputs[] = ", \"model_input_names\": [\"input_ids\", \"attention_mask\"]";
    struct text text = {0};
    char *bytes = NULL;
    size_t length;
    TRY(file_read(path_in(source, TOKENIZER_CONFIG).text, JSON_MAX_BYTES, &bytes, &length, error));
    const char *class = strstr(bytes, theirs);
    if (class == NULL) {
        free(bytes);
        return copy(source, folder, TOKENIZER_CONFIG, error);
    }
    text_add(&text, "%.*s%s%s%s", (int)(class - bytes), bytes, ours,
             strstr(bytes, "\"model_input_names\"") == NULL ? inputs : "", class + strlen(theirs));
    free(bytes);
    struct path path = path_in(folder, TOKENIZER_CONFIG);
    size_t written = text.length;
    char *changed = text_take(&text);
    mneme_status status = changed == NULL ? error_set_memory(error, path.text)
                                          : file_write_atomic(path.text, changed, written, error);
    free(changed);
    return status;
}

static mneme_status export_tokenizer_config(const char *source, const json_t *tokenizer,
                                            const struct text_ends *ends, size_t max_seq_len,
                                            const char *folder, mneme_error *error) {
    if (file_exists(path_in(source, TOKENIZER_CONFIG).text)) {
        TRY(copy_tokenizer_config(source, folder, error));
    } else {
        TRY(hf_files_write(folder, TOKENIZER_CONFIG,
                           new_tokenizer_config(tokenizer, ends, max_seq_len), error));
    }
    if (file_exists(path_in(source, SPECIAL_TOKENS).text)) {
        return copy(source, folder, SPECIAL_TOKENS, error);
    }
    if (file_exists(path_in(source, TOKENIZER_CONFIG).text)) return MNEME_OK; /* has them all */
    return hf_files_write(folder, SPECIAL_TOKENS, special_tokens(tokenizer, ends), error);
}

/* A template that puts the token before every text, as mneme does. */
static json_t *start_template(const char *text, int32_t id) {
    return json_pack(
        "{s:s, s:[{s:{s:s, s:i}}, {s:{s:s, s:i}}], s:[{s:{s:s, s:i}}, {s:{s:s, s:i}}, {s:{s:s, "
        "s:i}}], s:{s:{s:s, s:[i], s:[s]}}}",
        "type", "TemplateProcessing", "single", "SpecialToken", "id", text, "type_id", 0,
        "Sequence", "id", "A", "type_id", 0, "pair", "SpecialToken", "id", text, "type_id", 0,
        "Sequence", "id", "A", "type_id", 0, "Sequence", "id", "B", "type_id", 1, "special_tokens",
        text, "id", text, "ids", (int)id, "tokens", text);
}

/* The tokenizer.json itself: as it is, or with the token that mneme puts before a text. */
static mneme_status export_tokenizer(const struct tokenizer *tokenizer, json_t *object,
                                     const struct text_ends *ends, const char *folder,
                                     mneme_error *error) {
    const char *start = added_text(object, ends->start);
    if (ends->are_given || start == NULL) {
        return tokenizer_save(tokenizer, path_in(folder, TOKENIZER).text, error);
    }
    json_object_set_new(object, "post_processor", start_template(start, ends->start));
    return hf_files_write(folder, TOKENIZER, json_incref(object), error);
}

mneme_status hf_files_export(const char *source, const struct tokenizer *tokenizer,
                             size_t max_seq_len, const char *folder, mneme_error *error) {
    struct text_ends ends;
    json_t *object = NULL;
    TRY(find_ends(source, tokenizer, &ends, error));
    TRY(export_generation(source, &ends, folder, error));
    if (tokenizer == NULL) return MNEME_OK;
    TRY(read_object(source, TOKENIZER, MAX_TOKENIZER_BYTES, &object, error));
    mneme_status status = export_tokenizer(tokenizer, object, &ends, folder, error);
    THEN(export_tokenizer_config(source, object, &ends, max_seq_len, folder, error));
    THEN(copy(source, folder, CHAT_TEMPLATE, error));
    json_decref(object);
    return status;
}
