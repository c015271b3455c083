#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* SHA-256. */

#define DIGEST_HEX_SIZE 65

struct digest {
    char hex[DIGEST_HEX_SIZE]; /* 64 lower-case digits and a NUL */
};

/* SHA-256 of bytes in pieces: open, update…, finish. Start from {0}; close may be called at any
 * time. */
struct digest_stream {
    void *state;
};

mneme_status digest_open(struct digest_stream *stream, mneme_error *error);
mneme_status digest_update(struct digest_stream *stream, const void *bytes, size_t length,
                           mneme_error *error);
/* Writes the digest and closes the stream. */
mneme_status digest_finish(struct digest_stream *stream, struct digest *digest, mneme_error *error);
void digest_close(struct digest_stream *stream);

mneme_status digest_of_bytes(const void *bytes, size_t length, struct digest *digest,
                             mneme_error *error);

/* Of the first *length bytes of a regular file, or of all of it when it has fewer: *length becomes
 * the number of bytes that were read. Holds little in memory. */
mneme_status digest_of_prefix(const char *path, uint64_t *length, struct digest *digest,
                              mneme_error *error);

/* Of a whole file of at most max_bytes; fails as file_read does. */
mneme_status digest_of_file(const char *path, size_t max_bytes, struct digest *digest,
                            mneme_error *error);

#endif
