#ifndef PATCH_PATCH_PARTS_H
#define PATCH_PATCH_PARTS_H

#include "patch/patch.h"

/* Names in a patch's file, for its writer and its reader. */
#define PATCH_KEY_VERSION "mneme.patch"
#define PATCH_KEY_MODEL "model"
#define PATCH_KEY_TABLES "tables"
#define PATCH_KEY_SETTINGS "settings"
#define PATCH_KEY_CONFIG "config"
#define PATCH_FACTS "facts"
#define PATCH_ENDS "journal.ends"
#define PATCH_JOURNAL "journal.slots"
#define PATCH_BEFORE "journal.before"
#define PATCH_READS "reads" /* of the background, as in its own file */

/* The facts as JSON lines, and back: `line` begins at 1. */
mneme_status patch_facts_print(const struct patch *patch, char **bytes, size_t *length,
                               mneme_error *error);
mneme_status patch_fact_parse(const char *bytes, size_t length, const char *place,
                              struct patch_fact *fact, mneme_error *error);

#endif
