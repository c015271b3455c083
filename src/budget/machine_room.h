#ifndef BUDGET_MACHINE_ROOM_H
#define BUDGET_MACHINE_ROOM_H

#include <stddef.h>

/* What the machine has left for this process. */
struct machine_room {
    size_t memory;     /* bytes that it may have in all, with those that it has */
    const char *bound; /* what bounds them: "free memory", "the control group's limit", … */
    size_t process;    /* bytes that it has in memory now */
    size_t disk; /* bytes that are free where the folder is, or will be; SIZE_MAX: not known */
};

/* `folder` may be NULL. `root` is "/", but for tests. */
struct machine_room machine_room(const char *root, const char *folder);

#endif
