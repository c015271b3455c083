#ifndef PATCH_PATCH_REPORT_H
#define PATCH_PATCH_REPORT_H

#include "patch/patch.h"
#include "patch/patch_diff.h"

/* What a patch is, and how two differ, for people or, with `json`, as a JSON object. The caller
 * frees the text. */
mneme_status patch_report(const struct patch *patch, const char *path, bool json, char **bytes,
                          mneme_error *error);
mneme_status patch_report_difference(const struct patch *left, const struct patch *right,
                                     const struct patch_difference *difference, bool json,
                                     char **bytes, mneme_error *error);

#endif
