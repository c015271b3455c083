#ifndef INTERCHANGE_FOREIGN_KEYS_H
#define INTERCHANGE_FOREIGN_KEYS_H

#include "base/key_table.h"

/* What a key of another program's config may say that mneme has no key for. */
enum foreign_rule {
    FOREIGN_ANY, /* nothing here depends on it, or it is read elsewhere */
    FOREIGN_ONE, /* the number 1, which multiplies nothing */
};

struct foreign_key {
    const char *name;
    enum foreign_rule rule;
};

/* Checks every member of an object: a key of `ours` that stands in its object `within` ("" or
 * "memory.", as in the table's paths), or one of `others` [n] by its rule. Any other must be off
 * (null, false, 0, or empty); it is refused by its name and value, since it may change what is
 * computed. */
mneme_status foreign_check_keys(const struct json_place *object, const struct key_table *ours,
                                const char *within, const struct foreign_key *others, size_t n,
                                mneme_error *error);

#define FOREIGN_UNKNOWN "which mneme does not know; it may change what is computed"

/* MNEME_BAD_INPUT "PLACE: key `KEY`: is VALUE, CAUSE". */
mneme_status foreign_refuse_value(const struct json_place *object, const char *key,
                                  const char *cause, mneme_error *error);

#endif
