#ifndef BASE_REPORT_FILE_H
#define BASE_REPORT_FILE_H

#include <jansson.h>

#include "base/error.h"

/* Files of a report, each written whole or not at all. What is handed over is freed, and may be
 * NULL for want of memory, which is told then. */
mneme_status report_file_text(const char *directory, const char *name, char *text,
                              mneme_error *error);
mneme_status report_file_json(const char *directory, const char *name, json_t *root,
                              mneme_error *error);

#endif
