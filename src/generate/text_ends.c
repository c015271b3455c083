#include "generate/text_ends.h"

#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/path.h"

static mneme_status refuse(const struct json_place *root, const char *key, mneme_error *error) {
    return json_refuse(root, key, error, "must be a token id, a list of at most %d, or null",
                       TEXT_ENDS_MAX);
}

/* Adds an id; a negative one means none. */
static bool add_id(const json_t *id, int32_t *ids, size_t *n) {
    json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value > INT32_MAX || *n == TEXT_ENDS_MAX) return false;
    if (value >= 0) ids[(*n)++] = (int32_t)value;
    return true;
}

/* The ids of a key, none for a null; *n stays as it is where there is no such key. */
static mneme_status read_ids(const struct json_place *root, const char *key, int32_t *ids,
                             size_t *n, mneme_error *error) {
    const json_t *value = json_object_get(root->object, key);
    if (value == NULL) return MNEME_OK;
    *n = 0;
    if (json_is_null(value)) return MNEME_OK;
    if (!json_is_array(value)) return add_id(value, ids, n) ? MNEME_OK : refuse(root, key, error);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!add_id(json_array_get(value, i), ids, n)) return refuse(root, key, error);
    }
    return MNEME_OK;
}

/* Both keys of a file, over what *ends has. */
static mneme_status read_keys(const struct json_place *root, struct text_ends *ends,
                              mneme_error *error) {
    int32_t starts[TEXT_ENDS_MAX] = {ends->start};
    size_t n_starts = ends->start == TOKEN_NONE ? 0 : 1;
    TRY(read_ids(root, "bos_token_id", starts, &n_starts, error));
    TRY(read_ids(root, "eos_token_id", ends->stops, &ends->n_stops, error));
    ends->start = n_starts > 0 ? starts[0] : TOKEN_NONE;
    return MNEME_OK;
}

/* Whether the config says where texts start and end. */
static bool gives_ends(const json_t *config) {
    const char *type = json_string_value(json_object_get(config, "model_type"));
    return (type != NULL && strcmp(type, "mneme") != 0) ||
           json_object_get(config, "bos_token_id") != NULL ||
           json_object_get(config, "eos_token_id") != NULL;
}

static mneme_status read_config(const struct json_place *root, struct text_ends *ends,
                                mneme_error *error) {
    const char *type = json_string_value(json_object_get(root->object, "model_type"));
    if (type != NULL && strcmp(type, "mneme") != 0) {
        ends->start = TEXT_ENDS_LLAMA_START;
        ends->stops[0] = TEXT_ENDS_LLAMA_STOP;
        ends->n_stops = 1;
    }
    ends->are_given = gives_ends(root->object);
    return read_keys(root, ends, error);
}

/* Reads a file's keys over what *ends has. */
static mneme_status read_file(const char *path,
                              mneme_status (*read)(const struct json_place *root,
                                                   struct text_ends *ends, mneme_error *error),
                              struct text_ends *ends, mneme_error *error) {
    json_t *object = NULL;
    struct json_place root;
    mneme_status status = json_read_file(path, JSON_MAX_BYTES, &object, error);
    THEN(json_place_root(object, path, &root, error));
    THEN(read(&root, ends, error));
    json_decref(object);
    return status;
}

mneme_status text_ends_read(const char *folder, struct text_ends *ends, mneme_error *error) {
    const struct path generation = path_in(folder, "generation_config.json");
    *ends = (struct text_ends){.start = TOKEN_NONE};
    TRY(read_file(path_in(folder, "config.json").text, read_config, ends, error));
    if (!file_exists(generation.text)) return MNEME_OK;
    *ends = (struct text_ends){.are_given = true, .start = TOKEN_NONE};
    return read_file(generation.text, read_keys, ends, error);
}

void text_ends_of_tokenizer(const struct tokenizer *tokenizer, struct text_ends *ends) {
    *ends = (struct text_ends){.start = tokenizer_start_of_text(tokenizer)};
    ends->stops[0] = tokenizer_end_of_text(tokenizer);
    ends->n_stops = ends->stops[0] == TOKEN_NONE ? 0 : 1;
}

struct token_span text_ends_stops(const struct text_ends *ends) {
    return (struct token_span){ends->stops, ends->n_stops};
}

/* Whether the ids begin with those of the prefix. */
static bool begins_with(const struct token_list *ids, const struct token_list *prefix) {
    return ids->n >= prefix->n &&
           (prefix->n == 0 || memcmp(ids->ids, prefix->ids, prefix->n * sizeof *ids->ids) == 0);
}

/* Appends the ids with `before` in front, if they do not begin with it. */
static mneme_status add_framed(const struct token_list *before, const struct token_list *text,
                               const struct token_list *after, struct token_list *ids,
                               mneme_error *error) {
    if (!begins_with(text, before)) TRY(token_list_append(ids, before->ids, before->n, error));
    TRY(token_list_append(ids, text->ids, text->n, error));
    return token_list_append(ids, after->ids, after->n, error);
}

mneme_status text_ends_encode(const struct text_ends *ends, struct tokenizer *tokenizer,
                              const char *prompt, struct token_list *ids, mneme_error *error) {
    const struct token_frame *frame = tokenizer_frame(tokenizer);
    int32_t first = ends->start;
    const struct token_list start = {.ids = &first, .n = ends->start == TOKEN_NONE ? 0 : 1};
    const struct token_list nothing = {0};
    struct token_list text = {0};
    mneme_status status = tokenizer_encode(tokenizer, prompt, strlen(prompt), &text, error);
    if (ends->are_given && (text.n > 0 || frame->before.n > 0)) {
        THEN(add_framed(&frame->before, &text, &frame->after, ids, error));
    } else {
        THEN(add_framed(&start, &text, &nothing, ids, error));
    }
    token_list_free(&text);
    return status;
}
