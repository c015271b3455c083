#include <stdlib.h>
#include <string.h>

#include <mneme/version.h>

#include "base/c_locale.h"
#include "base/file.h"
#include "base/json_read.h"
#include "run/trail.h"

#define MAX_TRAIL_BYTES ((size_t)1 << 32)

/* One line as a JSON object; "PATH:LINE: cause" otherwise. */
static mneme_status parse(const char *line, const char *path, size_t number, json_t **object,
                          mneme_error *error) {
    json_error_t cause;
    *object = json_parse(line, strlen(line), JSON_REJECT_DUPLICATES, &cause);
    if (*object != NULL && json_is_object(*object)) return MNEME_OK;
    json_decref(*object);
    *object = NULL;
    return error_set(error, MNEME_BAD_INPUT, "%s:%zu: is not a line of a trail", path, number);
}

static mneme_status check_contract(const json_t *object, const char *path, mneme_error *error) {
    struct json_place root;
    size_t contract = 0;
    TRY(json_place_root(object, path, &root, error));
    TRY(json_get_size(&root, "contract", KEY_REQUIRED, 1, SIZE_MAX / 2, &contract, error));
    if (contract == MNEME_CONTRACT_VERSION) return MNEME_OK;
    return json_refuse(&root, "contract", error,
                       "the trail was made under contract %zu, this version keeps to %d", contract,
                       MNEME_CONTRACT_VERSION);
}

static mneme_status check_head(const char *line, const char *path, mneme_error *error) {
    json_t *object;
    TRY(parse(line, path, 1, &object, error));
    mneme_status status = check_contract(object, path, error);
    json_decref(object);
    return status;
}

/* The first line of a file, which is NUL-terminated in *line; "" when there is none. */
static mneme_status read_head(const char *path, char *line, size_t size, mneme_error *error) {
    FILE *stream = fopen(path, "re");
    line[0] = '\0';
    if (stream == NULL) return error_set_errno(error, path, "cannot open");
    if (fgets(line, (int)size, stream) == NULL || strchr(line, '\n') == NULL) line[0] = '\0';
    fclose(stream);
    return MNEME_OK;
}

mneme_status trail_check_contract(const char *path, mneme_error *error) {
    char head[1024];
    if (!file_exists(path)) return MNEME_OK;
    TRY(read_head(path, head, sizeof head, error));
    return head[0] == '\0' ? MNEME_OK : check_head(head, path, error);
}

/* A last line without its newline, which a killed run may leave, does not count. */
static size_t count_lines(const char *bytes, size_t length) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) n += bytes[i] == '\n';
    return n;
}

/* Ends every line by a NUL in its newline's place; lines [n]. */
static mneme_status cut_lines(struct trail_text *text, size_t n, mneme_error *error) {
    char *at = text->bytes;
    for (size_t i = 0; i < n; i++) {
        text->head_and_lines[i] = at;
        at = strchr(at, '\n');
        if (at == NULL) {
            return error_set(error, MNEME_BAD_INPUT, "%s:%zu: holds a NUL byte", text->path, i + 1);
        }
        *at++ = '\0';
    }
    return MNEME_OK;
}

static mneme_status read_trail(struct trail_text *text, mneme_error *error) {
    size_t length;
    TRY(file_read(text->path, MAX_TRAIL_BYTES, &text->bytes, &length, error));
    size_t n = count_lines(text->bytes, length);
    if (n == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: is not a trail: it has no line", text->path);
    }
    text->head_and_lines = malloc(n * sizeof *text->head_and_lines);
    if (text->head_and_lines == NULL) return error_set_memory(error, text->path);
    TRY(cut_lines(text, n, error));
    text->lines = text->head_and_lines + 1;
    text->n = n - 1;
    return check_head(text->head_and_lines[0], text->path, error);
}

mneme_status trail_text_open(struct trail_text *text, const char *path, mneme_error *error) {
    *text = (struct trail_text){.path = strdup(path)};
    mneme_status status =
        text->path == NULL ? error_set_memory(error, path) : read_trail(text, error);
    if (status != MNEME_OK) trail_text_close(text);
    return status;
}

void trail_text_close(struct trail_text *text) {
    free(text->head_and_lines);
    free(text->bytes);
    free(text->path);
    *text = (struct trail_text){0};
}

/* The exact value, from its hexadecimal text. */
static mneme_status get_hex(const struct json_place *at, const char *key, float *value,
                            mneme_error *error) {
    char *text = NULL, *end;
    mneme_status status = json_get_string(at, key, KEY_REQUIRED, &text, error);
    if (status != MNEME_OK) return status;
    struct c_locale entered = c_locale_enter();
    *value = strtof(text, &end);
    c_locale_leave(entered);
    if (end == text || *end != '\0') status = json_refuse(at, key, error, "must be a float");
    free(text);
    return status;
}

static mneme_status get_digest(const struct json_place *at, struct trail_line *line,
                               mneme_error *error) {
    char *text = NULL;
    mneme_status status = json_get_string(at, "digest", KEY_OPTIONAL, &text, error);
    if (status == MNEME_OK && text != NULL) {
        if (strlen(text) + 1 != sizeof line->digest.hex) {
            status = json_refuse(at, "digest", error, "must have 64 digits");
        } else {
            memcpy(line->digest.hex, text, sizeof line->digest.hex);
            line->has_digest = true;
        }
    }
    free(text);
    return status;
}

static mneme_status get_slots(const struct json_place *at, struct trail_line *line,
                              mneme_error *error) {
    struct slot_figures *slots = &line->slots;
    line->has_slots = json_object_get(at->object, "slots") != NULL;
    if (!line->has_slots) return MNEME_OK;
    TRY(json_get_size(at, "slots", KEY_REQUIRED, 0, SIZE_MAX / 2, &slots->slots, error));
    TRY(get_hex(at, "slot_perplexity_hex", &slots->perplexity, error));
    return get_hex(at, "never_read_hex", &slots->never_read, error);
}

static mneme_status read_line(const json_t *object, const char *path, size_t i,
                              struct trail_line *line, mneme_error *error) {
    struct json_place root;
    TRY(json_place_root(object, path, &root, error));
    TRY(json_get_size(&root, "step", KEY_REQUIRED, i + 1, i + 1, &line->step, error));
    TRY(json_get_size(&root, "tokens", KEY_REQUIRED, 0, SIZE_MAX / 2, &line->tokens, error));
    TRY(get_hex(&root, "lr_hex", &line->lr, error));
    TRY(get_hex(&root, "loss_hex", &line->loss, error));
    line->has_norm = json_object_get(object, "gradient_norm_hex") != NULL;
    if (line->has_norm) TRY(get_hex(&root, "gradient_norm_hex", &line->gradient_norm, error));
    TRY(get_slots(&root, line, error));
    return get_digest(&root, line, error);
}

mneme_status trail_text_parse(const struct trail_text *text, size_t i, struct trail_line *line,
                              mneme_error *error) {
    json_t *object;
    *line = (struct trail_line){0};
    TRY(parse(text->lines[i], text->path, i + 2, &object, error));
    mneme_status status = read_line(object, text->path, i, line, error);
    json_decref(object);
    return status;
}

/* Ends line number i of the bytes by a NUL; NULL when there is none. */
static char *cut_line(char *bytes, size_t i) {
    char *line = bytes, *end = strchr(line, '\n');
    for (; end != NULL && i > 0; i--) {
        line = end + 1;
        end = strchr(line, '\n');
    }
    if (end == NULL) return NULL;
    *end = '\0';
    return line;
}

mneme_status trail_read_step(const char *path, size_t step, struct trail_line *line,
                             mneme_error *error) {
    char *bytes;
    size_t length;
    TRY(file_read(path, MAX_TRAIL_BYTES, &bytes, &length, error));
    char *text = cut_line(bytes, step);
    json_t *object = NULL;
    mneme_status status =
        text != NULL ? parse(text, path, step + 1, &object, error)
                     : error_set(error, MNEME_BAD_INPUT, "%s: has no step %zu", path, step);
    *line = (struct trail_line){0};
    THEN(read_line(object, path, step - 1, line, error));
    json_decref(object);
    free(bytes);
    return status;
}
