#ifndef VERIFY_FILE_DIFFERENCE_H
#define VERIFY_FILE_DIFFERENCE_H

#include <mneme/diff.h>

/* Notes in *difference the first file of two run folders that is not the same in both: of those
 * that are a function of the recipe and that both have. Models are compared tensor by tensor, JSON
 * but for times and machines. */
mneme_status file_difference_find(const char *a, const char *b, mneme_trail_difference *difference,
                                  mneme_error *error);

#endif
