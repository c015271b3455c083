#ifndef REPORT_REPORT_FILE_H
#define REPORT_REPORT_FILE_H

#include <jansson.h>

#include "base/error.h"

/* Writes a file of a report, whole or not at all, and frees `text` or `root`. NULL, which text_take
 * and jansson return when memory is short, is MNEME_FAILED. */
mneme_status report_file_text(const char *folder, const char *name, char *text, mneme_error *error);
mneme_status report_file_json(const char *folder, const char *name, json_t *root,
                              mneme_error *error);

#endif
