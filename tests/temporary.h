#ifndef TESTS_TEMPORARY_H
#define TESTS_TEMPORARY_H

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/assertions.h"

/* A folder for one test, made in its set-up and removed with everything in it in its tear-down. */
static char temporary_folder[256];

static inline void temporary_make(void) {
    const char *root = getenv("TMPDIR");
    snprintf(temporary_folder, sizeof temporary_folder, "%s/mneme-test-XXXXXX",
             root == NULL ? "/tmp" : root);
    ck_assert_ptr_nonnull(mkdtemp(temporary_folder));
}

static inline int temporary_remove_one(const char *path, const struct stat *facts, int kind,
                                       struct FTW *walk) {
    (void)facts, (void)kind, (void)walk;
    return remove(path);
}

static inline void temporary_remove(void) {
    nftw(temporary_folder, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of `name` in the folder; the string lives until the fourth call after. */
static inline const char *temporary_path(const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", temporary_folder, name);
    return path;
}

static inline void temporary_write(const char *name, const void *bytes, size_t length) {
    FILE *stream = fopen(temporary_path(name), "wb");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
    ck_assert_int_eq(fclose(stream), 0);
}

/* How many entries the folder has. */
static inline size_t temporary_count(void) {
    DIR *entries = opendir(temporary_folder);
    ck_assert_ptr_nonnull(entries);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) n += entry->d_name[0] != '.';
    closedir(entries);
    return n;
}

/* No file can grow beyond this many bytes until it is lifted with RLIM_INFINITY: a full disk.
 * The caller has SIGXFSZ ignored. */
static inline void temporary_limit_files(rlim_t bytes) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
