#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

/* Reading JSON files that people write: every refusal is MNEME_BAD_INPUT and one line
 * "PLACE: key `a.b`: must be an integer from 1 to 65536".
 *
 * A decimal becomes a double and then a float, each rounded to nearest. Nesting is limited by
 * jansson to 2048. */

/* json_loadb in the C locale. (jansson itself takes every decimal point for one byte, and aborts
 * in locales where it is not.) */
json_t *json_parse(const char *bytes, size_t length, size_t flags, json_error_t *cause);

/* The most that any file of settings or results may have. */
#define JSON_MAX_BYTES ((size_t)1 << 24)

/* Reads a file of at most max_bytes that holds one object (file_read_text). A syntax error, a
 * duplicate key or invalid UTF-8 is "PATH:LINE: cause". The caller owns *root. */
mneme_status json_read_file(const char *path, size_t max_bytes, json_t **root, mneme_error *error);

/* An object and where it stands, for messages. Borrows all that it points to. */
struct json_place {
    const json_t *object; /* NULL: an optional object that is not there; every key is missing */
    const char *place;    /* the file's path, or whatever else the messages start with */
    char prefix[128];     /* dotted keys that lead here, each followed by '.'; "" at the root */
};

/* MNEME_BAD_INPUT "PLACE: must be an object" for anything else. */
mneme_status json_place_root(const json_t *object, const char *place, struct json_place *root,
                             mneme_error *error);

/* In what follows `key` may be a dotted path (json_path.h). What a key's absence means:
 * OPTIONAL leaves the caller's value as it was: its default. A null is
 * a wrong type, not an absence. */
enum key_need { KEY_OPTIONAL, KEY_REQUIRED };

/* `value` may be `place` itself. */
mneme_status json_get_object(const struct json_place *place, const char *key, enum key_need need,
                             struct json_place *value, mneme_error *error);
/* An integer in [low, high]. */
mneme_status json_get_size(const struct json_place *place, const char *key, enum key_need need,
                           size_t low, size_t high, size_t *value, mneme_error *error);
/* A finite number in [low, high] after rounding to float; integers are taken too. */
mneme_status json_get_float(const struct json_place *place, const char *key, enum key_need need,
                            float low, float high, float *value, mneme_error *error);
mneme_status json_get_bool(const struct json_place *place, const char *key, enum key_need need,
                           bool *value, mneme_error *error);
/* *value is freed and becomes a malloc'ed copy; it must be NULL or malloc'ed before. */
mneme_status json_get_string(const struct json_place *place, const char *key, enum key_need need,
                             char **value, mneme_error *error);
/* A string out of a list of names; *index becomes its place there. The message lists them. */
mneme_status json_get_choice(const struct json_place *place, const char *key, enum key_need need,
                             const char *const *names, size_t n_names, size_t *index,
                             mneme_error *error);
/* A list of at most max_count elements, each in [low, high]; *count becomes their number. An empty
 * list is fine. */
mneme_status json_get_sizes(const struct json_place *place, const char *key, enum key_need need,
                            size_t low, size_t high, size_t *values, size_t max_count,
                            size_t *count, mneme_error *error);
mneme_status json_get_floats(const struct json_place *place, const char *key, enum key_need need,
                             float low, float high, float *values, size_t max_count, size_t *count,
                             mneme_error *error);

/* Refuses a number that is not in [low, high], as json_get_size and json_get_float do. */
mneme_status json_refuse_size(const struct json_place *place, const char *key, size_t low,
                              size_t high, mneme_error *error);
mneme_status json_refuse_float(const struct json_place *place, const char *key, float low,
                               float high, mneme_error *error);

/* Refuses a key that is not among the known ones, suggesting the closest when it is close. */
mneme_status json_check_keys(const struct json_place *place, const char *const *known,
                             size_t n_known, mneme_error *error);

/* MNEME_BAD_INPUT "PLACE: key `PREFIX.KEY`: CAUSE", for checks of the caller's own. */
mneme_status json_refuse(const struct json_place *place, const char *key, mneme_error *error,
                         const char *format, ...) MNEME_PRINTF(4, 5);

#endif
