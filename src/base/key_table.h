#ifndef BASE_KEY_TABLE_H
#define BASE_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "base/json_read.h"

/* A file's keys as a table: a row says where a value stands in the file and in a struct, what it
 * may be, and what it is when the file does not say. Reading, writing, defaults, ranges and unknown
 * keys are loops over it. */

enum key_type {
    KEY_OBJECT, /* the rows after it whose paths begin with its own are its members */
    KEY_OTHER,  /* may be there; other code reads it */
    KEY_STRING, /* char *, malloc'ed or NULL */
    KEY_SIZE,   /* size_t */
    KEY_FLOAT,
    KEY_BOOL,
    KEY_CHOICE, /* an enumeration: the place of a name in a list */
    KEY_SIZES,  /* size_t [capacity], ascending, and how many; never empty in a file */
    KEY_FLOATS,
    KEY_STRINGS, /* struct key_strings; in a file one string or a list of them, which is not empty
                  */
};

/* Strings that are the settings' own. */
struct key_strings {
    char **texts; /* [n] */
    size_t n;
};

/* A default that depends on the values of the rows above. */
struct key_default {
    const char *text;                      /* for people */
    size_t (*value)(const void *settings); /* of a KEY_SIZE or KEY_BOOL */
    float (*number)(const void *settings); /* of a KEY_FLOAT */
};

/* Flags of a row; users of a table have others, from KEY_FIRST_OWN on. An object that may be
 * missing begins with a list, whose count tells whether it is there. */
enum {
    KEY_MAY_LACK = 1, /* may be missing, though it has no default */
    KEY_TERSE = 2,    /* written only where it is not its default */
    KEY_FIRST_OWN = 4,
};

struct key {
    const char *path; /* "finetune.smf.t"; NULL: this file has no such key */
    enum key_type type;
    unsigned flags;
    size_t offset;       /* of the value in the settings */
    size_t count_offset; /* KEY_SIZES, KEY_FLOATS: of the size_t that counts them */
    size_t capacity;
    double low, high; /* numbers and members of lists; whole numbers are below 2^63 */
    double initial;   /* the default; one that is out of range means that the key is required */
    const struct key_default *derived; /* instead of `initial` */
    size_t owner;                      /* offset of the settings that `derived` looks at */
    const char *const *names;          /* KEY_CHOICE [n_names] */
    size_t n_names;
    const char *documentation;
};

struct key_table {
    const struct key *keys;
    size_t n;
};

/* NULL if there is none. */
const struct key *key_find(const struct key_table *table, const char *path);
/* The next row after `key` (NULL: the first) with one of the flags; NULL after the last. */
const struct key *keys_next(const struct key_table *table, const struct key *key, unsigned flags);
/* What is after the path's last dot. */
const char *key_name(const struct key *key);
/* Whether it stands for a value in the settings. */
bool key_has_value(const struct key *key);
/* Whether its value is outside its range; for a string and a list, whether there is none. */
bool key_is_out_of_range(const struct key *key, const void *settings);
bool key_is_default(const struct key *key, const void *settings);
/* Whether a file must have it, in an object that is there. */
bool key_is_required(const struct key *key);

/* Gives every value its default, where that is not derived. Strings become NULL. */
void keys_set_defaults(const struct key_table *table, void *settings);

/* Refuses keys that no row has, suggesting the closest, and objects that are none. Like keys_read
 * it tells all that is wrong, in one line (error_join). */
mneme_status keys_check_known(const struct key_table *table, const struct json_place *root,
                              mneme_error *error);

/* Reads all values over the defaults that *settings has. Rows with one of the flags `without` may
 * be missing. */
mneme_status keys_read(const struct key_table *table, const struct json_place *root,
                       unsigned without, void *settings, mneme_error *error);

/* Refuses a value that is out of its range, for settings that no file said. */
mneme_status keys_check_ranges(const struct key_table *table, const char *place,
                               const void *settings, mneme_error *error);

/* Sets the values in `object`, making the objects on the way, in the table's order; rows with one
 * of the flags `without` are left out. Nonzero when out of memory. */
int keys_write(const struct key_table *table, const void *settings, unsigned without,
               json_t *object);

/* Frees the strings. */
void keys_free(const struct key_table *table, void *settings);

/* Rows, as initializers. `initial` is IS(value), REQUIRED or FROM(a struct key_default). */
#define IS(value) .initial = (value)
#define REQUIRED .initial = -1.0
#define FROM(default_) .derived = &(default_)
#define KEY_AT(path_, type_, offset_, flags_, documentation_)                 \
    .path = (path_), .type = (type_), .flags = (flags_), .offset = (offset_), \
    .documentation = (documentation_)
#define KEY_NUMBER_ROW(path, type, offset, owner_, initial_, low_, high_, flags, documentation) \
    {                                                                                           \
        KEY_AT(path, type, offset, flags, documentation), .owner = (owner_), .low = (low_),     \
                                                          .high = (high_), initial_             \
    }
#define KEY_BOOL_ROW(path, offset, owner, initial, flags, documentation) \
    KEY_NUMBER_ROW(path, KEY_BOOL, offset, owner, initial, 0, 1, flags, documentation)
#define KEY_LIST_ROW(path, type, offset, count, capacity_, low_, high_, documentation)       \
    {                                                                                        \
        KEY_AT(path, type, offset, 0, documentation),                                        \
            .count_offset = (count), .capacity = (capacity_), .low = (low_), .high = (high_) \
    }

#endif
