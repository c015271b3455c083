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

static mneme_status check_head(const char *line, const char *path, mneme_error *error) {
    json_t *object;
    struct json_place root;
    size_t contract = 0;
    mneme_status status = parse(line, path, 1, &object, error);
    if (status == MNEME_OK) status = json_place_root(object, path, &root, error);
    if (status == MNEME_OK) {
        status = json_get_size(&root, "contract", KEY_REQUIRED, 1, SIZE_MAX / 2, &contract, error);
    }
    if (status == MNEME_OK && contract != MNEME_CONTRACT_VERSION) {
        status = json_refuse(&root, "contract", error,
                             "the trail was made under contract %zu, this version keeps to %d",
                             contract, MNEME_CONTRACT_VERSION);
    }
    json_decref(object);
    return status;
}

/* A last line without its newline, which a killed run may leave, does not count. */
static size_t count_lines(const char *bytes, size_t length) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) n += bytes[i] == '\n';
    return n;
}

mneme_status trail_text_open(struct trail_text *text, const char *path, mneme_error *error) {
    size_t length;
    *text = (struct trail_text){0};
    mneme_status status = file_read(path, MAX_TRAIL_BYTES, &text->bytes, &length, error);
    if (status != MNEME_OK) return status;
    size_t n = count_lines(text->bytes, length);
    char **lines = malloc((n + 1) * sizeof *lines), *at = text->bytes;
    if (lines == NULL) {
        status = error_set_memory(error, path);
    } else if (n == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: is not a trail: it has no line", path);
    }
    for (size_t i = 0; status == MNEME_OK && i < n; i++) {
        lines[i] = at;
        at = strchr(at, '\n');
        if (at == NULL) {
            status = error_set(error, MNEME_BAD_INPUT, "%s:%zu: holds a NUL byte", path, i + 1);
            break;
        }
        *at++ = '\0';
    }
    if (status == MNEME_OK) status = check_head(lines[0], path, error);
    if (status == MNEME_OK) {
        memmove(lines, lines + 1, (n - 1) * sizeof *lines);
        text->lines = lines;
        text->n = n - 1;
        return MNEME_OK;
    }
    free(lines);
    trail_text_close(text);
    return status;
}

void trail_text_close(struct trail_text *text) {
    free(text->lines);
    free(text->bytes);
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

mneme_status trail_text_parse(const struct trail_text *text, size_t i, const char *path,
                              struct trail_line *line, mneme_error *error) {
    json_t *object;
    struct json_place root;
    *line = (struct trail_line){0};
    mneme_status status = parse(text->lines[i], path, i + 2, &object, error);
    if (status == MNEME_OK) status = json_place_root(object, path, &root, error);
    if (status == MNEME_OK) {
        status = json_get_size(&root, "step", KEY_REQUIRED, i + 1, i + 1, &line->step, error);
    }
    if (status == MNEME_OK) {
        status =
            json_get_size(&root, "tokens", KEY_REQUIRED, 0, SIZE_MAX / 2, &line->tokens, error);
    }
    if (status == MNEME_OK) status = get_hex(&root, "lr_hex", &line->lr, error);
    if (status == MNEME_OK) status = get_hex(&root, "loss_hex", &line->loss, error);
    line->has_norm = status == MNEME_OK && json_object_get(object, "gradient_norm_hex") != NULL;
    if (line->has_norm) status = get_hex(&root, "gradient_norm_hex", &line->gradient_norm, error);
    if (status == MNEME_OK) status = get_digest(&root, line, error);
    json_decref(object);
    return status;
}
