#ifndef INTERCHANGE_TARGET_H
#define INTERCHANGE_TARGET_H

#include <stdbool.h>

#include "base/path.h"

/* The folder that an import or an export makes: it appears whole, by a rename, or not at all. */
struct target {
    struct path folder;   /* what it becomes, links followed */
    struct path building; /* where it is made: the same with ".partial", empty at first */
    int lock;             /* on that folder, while this process makes it */
    bool is_open;
    bool replaces; /* a folder with a model is there, and gives way */
};

/* Looks before anything is written. Refuses a folder that holds anything, unless `replace` is set
 * and it holds a model's files alone; and always one of the sources (folders or files; the second
 * may be NULL), by whatever name. */
mneme_status target_open(struct target *target, const char *folder, const char *const sources[2],
                         bool replace, mneme_error *error);
/* Puts the folder in its place. */
mneme_status target_finish(struct target *target, mneme_error *error);
/* Removes what was made; does nothing after target_finish and to {0}. */
void target_close(struct target *target);

#endif
