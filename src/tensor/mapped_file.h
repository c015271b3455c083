#ifndef TENSOR_MAPPED_FILE_H
#define TENSOR_MAPPED_FILE_H

#include <stddef.h>

#include "base/error.h"

/* A regular file as memory that the system reads in as it is looked at. It must not become shorter
 * while it is open. */
struct mapped_file {
    const char *bytes; /* [length]; never NULL while it is open */
    size_t length;
};

/* Fails as file_reader_open does. */
mneme_status mapped_file_open(struct mapped_file *file, const char *path, mneme_error *error);
/* Does nothing to {0}. */
void mapped_file_close(struct mapped_file *file);

/* Gives the memory of the whole pages among a file's bytes back to the system, which reads them in
 * again when they are looked at. */
void mapped_file_forget(const void *bytes, size_t length);

#endif
