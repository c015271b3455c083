#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/path.h"

/* Whole files in and out. A file appears under its name complete or not at all: it is written as
 * `NAME.partial` beside it, flushed to the disk, and renamed. A `.partial` that a killed process
 * left behind is overwritten by the next writer of the same name. Two processes must not write
 * the same name at the same time.
 *
 * Everywhere here: MNEME_BAD_INPUT when the path is wrong (missing, a directory, not permitted to
 * read), MNEME_FAILED when the machine could not (disk full, no memory, folder not writable). The
 * message names path and cause. */

/* Reads all of `path`, which may also be a pipe or a device. *bytes is malloc'ed and has a NUL
 * after its *length bytes. MNEME_BAD_INPUT for more than max_bytes, before all is read. */
mneme_status file_read(const char *path, size_t max_bytes, char **bytes, size_t *length,
                       mneme_error *error);

/* The same for a file of UTF-8 text: a byte order mark at its beginning is left out; UTF-16 and
 * UTF-32, with their marks or by the zero bytes of their first character, are MNEME_BAD_INPUT.
 * Other bytes are the caller's to check. */
mneme_status file_read_text(const char *path, size_t max_bytes, char **bytes, size_t *length,
                            mneme_error *error);

/* Whether the bytes begin like UTF-16 or UTF-32. */
bool file_is_wide_text(const char *bytes, size_t length);

/* Writes the bytes to `path`, atomically. Replaces a regular file or a symbolic link (the link, not
 * its target); refuses a directory, device or pipe. */
mneme_status file_write_atomic(const char *path, const void *bytes, size_t length,
                               mneme_error *error);

/* The same in pieces. Start from {0}; always end with finish or abandon. */
struct file_writer {
    FILE *stream; /* may be written to directly: finish sees the stream's errors; NULL: closed */
    char *path;
};

mneme_status file_writer_open(struct file_writer *writer, const char *path, mneme_error *error);
mneme_status file_writer_write(struct file_writer *writer, const void *bytes, size_t length,
                               mneme_error *error);
/* Flushes, fsyncs, renames, and fsyncs the folder. On failure removes the partial file and leaves
 * an earlier file of that name untouched. Frees the writer either way. */
mneme_status file_writer_finish(struct file_writer *writer, mneme_error *error);
/* Removes the partial file. Does nothing to a writer that is {0} or finished. */
void file_writer_abandon(struct file_writer *writer);

/* A regular file opened for reading at any offset; nothing is cached. */
struct file_reader {
    int descriptor;
    uint64_t size; /* when it was opened */
    char *path;
};

mneme_status file_reader_open(struct file_reader *reader, const char *path, mneme_error *error);
/* Reads exactly `length` bytes at `offset`; a file that ends before is MNEME_BAD_INPUT. */
mneme_status file_reader_read(const struct file_reader *reader, uint64_t offset, void *bytes,
                              size_t length, mneme_error *error);
/* Does nothing to a reader whose path is NULL. */
void file_reader_close(struct file_reader *reader);

/* Whether there is anything at `path` (links are followed). */
bool file_exists(const char *path);
bool file_is_directory(const char *path);

#endif
