#ifndef FOLDER_MANIFEST_H
#define FOLDER_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* SHA256SUMS of a run folder: the SHA-256 of every file in it that is finished, in the layout of
 * sha256sum, which can check it. The first line has the contract, the last one the digest of those
 * above; to sha256sum both are comments.
 *
 * A file is written in this order: its line is taken away, the file is written, its line is added.
 * So a file without a line is one that a killed run did not finish, and is made again. A folder
 * without SHA256SUMS was made by an earlier version; what is in it cannot be checked. */

struct manifest_line {
    char *name; /* relative to the folder */
    char hex[65];
};

struct manifest {
    bool there;
    struct manifest_line *lines; /* [n] by name */
    size_t n, capacity;
};

/* MNEME_BAD_INPUT for a manifest that is damaged or of another contract. */
mneme_status manifest_read(const char *directory, struct manifest *manifest, mneme_error *error);
/* Does nothing to {0}. */
void manifest_free(struct manifest *manifest);
/* NULL if the file has no line. */
const struct manifest_line *manifest_find(const struct manifest *manifest, const char *name);

/* Begins an empty one where there is none. */
mneme_status manifest_begin(const char *directory, mneme_error *error);
/* Begins one of all files that the folder has, taken as they are. */
mneme_status manifest_adopt(const char *directory, mneme_error *error);

/* Takes lines away and adds them: of n files or, with all below them, folders. Their paths begin
 * with the directory's. Does nothing in a folder without a manifest. */
mneme_status manifest_forget(const char *directory, const char *const *paths, size_t n,
                             mneme_error *error);
mneme_status manifest_sign(const char *directory, const char *const *paths, size_t n,
                           mneme_error *error);

/* Refuses, with MNEME_BAD_INPUT and its name, a file whose digest is not that of its line, or that
 * has none. Of a folder, the files that have a line. Says nothing without a manifest. */
mneme_status manifest_check(const char *directory, const char *path, mneme_error *error);

/* Whether the file is there and finished: has a line, if there is a manifest. */
bool manifest_holds(const char *directory, const char *path);

/* What run and sweep leave to their reader, and change each time, has no line: inputs.json, the
 * lock, and what a killed process left half-written. */
bool manifest_passes_over(const char *name);

#endif
