#ifndef VERIFY_TRAIL_DIFFERENCE_H
#define VERIFY_TRAIL_DIFFERENCE_H

#include <mneme/diff.h>

/* Fills *difference, which is {0}, with the first step in which the trails of two run folders
 * differ. MNEME_BAD_INPUT when one of them is no run folder or they have no stage in common. */
mneme_status trail_difference_find(const char *a, const char *b, mneme_trail_difference *difference,
                                   mneme_error *error);

#endif
