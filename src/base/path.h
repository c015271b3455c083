#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stddef.h>

#include "base/error.h"

/* Names of files and folders. */

/* A path as a value: nothing to free, and making one cannot fail. One that is longer than the
 * system takes is cut to PATH_SIZE - 1 bytes, which is still too long: the system refuses to open
 * it. `path_in(folder, "x").text` lives to the end of the expression. */
#define PATH_SIZE 4097 /* Linux' PATH_MAX, which counts the NUL, and one */
struct path {
    char text[PATH_SIZE];
};

/* For functions that make a path and return before long work begins. Kept out of line, their paths
 * are not in the frames below a training step, of which `perf record --call-graph dwarf` copies a
 * few KiB alone. */
#define PATH_OUT_OF_LINE __attribute__((noinline))

/* "folder/NAME" with the name made from a format; the name alone when it is absolute or `folder` is
 * empty. */
struct path path_in(const char *folder, const char *format, ...) MNEME_PRINTF(2, 3);
/* What is before the last '/': "." when there is none, "/" for files in the root. */
struct path path_parent(const char *path);

/* Makes a folder and the folders above it; one that exists is fine. MNEME_BAD_INPUT when a part
 * of the path is something else, MNEME_FAILED when the machine could not. */
mneme_status directory_make(const char *path, mneme_error *error);

/* The regular files under `folder`, at any depth, whose name ends in `suffix` (NULL: all but hidden
 * ones and those in hidden folders): paths relative to it, sorted by byte, links to folders not
 * followed. Free with path_list_free. */
struct path_list {
    char **paths;
    size_t n;
    size_t capacity;
};

mneme_status directory_list(const char *folder, const char *suffix, struct path_list *list,
                            mneme_error *error);
void path_list_free(struct path_list *list);

#endif
