#ifndef VERIFY_CONSISTENCY_H
#define VERIFY_CONSISTENCY_H

#include "base/error.h"

/* Refuses, with MNEME_BAD_INPUT, a folder whose files contradict each other, without repeating
 * anything: files and SHA256SUMS, scores and models, scores and answers, the base and the last line
 * of its trail. A folder without such files, and a file, agree with themselves. */
mneme_status consistency_check(const char *path, mneme_error *error);

#endif
