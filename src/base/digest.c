#include "base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/file.h"

static mneme_status digest_failed(mneme_error *error) {
    return error_set(error, MNEME_FAILED, "SHA-256: the cryptographic library failed");
}

mneme_status digest_open(struct digest_stream *stream, mneme_error *error) {
    stream->state = EVP_MD_CTX_new();
    if (stream->state == NULL) return error_set_memory(error, "SHA-256");
    if (EVP_DigestInit_ex(stream->state, EVP_sha256(), NULL) == 1) return MNEME_OK;
    digest_close(stream);
    return digest_failed(error);
}

mneme_status digest_update(struct digest_stream *stream, const void *bytes, size_t length,
                           mneme_error *error) {
    if (length == 0 || EVP_DigestUpdate(stream->state, bytes, length) == 1) return MNEME_OK;
    return digest_failed(error);
}

mneme_status digest_finish(struct digest_stream *stream, struct digest *digest,
                           mneme_error *error) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    int done = EVP_DigestFinal_ex(stream->state, bytes, &length);
    digest_close(stream);
    if (done != 1 || length != 32) return digest_failed(error);
    for (size_t i = 0; i < 32; i++) {
        digest->hex[2 * i] = digits[bytes[i] >> 4];
        digest->hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    digest->hex[64] = '\0';
    return MNEME_OK;
}

void digest_close(struct digest_stream *stream) {
    EVP_MD_CTX_free(stream->state);
    stream->state = NULL;
}

mneme_status digest_of_bytes(const void *bytes, size_t length, struct digest *digest,
                             mneme_error *error) {
    struct digest_stream stream = {0};
    mneme_status status = digest_open(&stream, error);
    THEN(digest_update(&stream, bytes, length, error));
    if (status == MNEME_OK) return digest_finish(&stream, digest, error);
    digest_close(&stream);
    return status;
}

/* A file is read in pieces of this many bytes. */
#define PIECE ((size_t)1 << 20)

static mneme_status digest_reader(const struct file_reader *file, uint64_t length,
                                  struct digest_stream *stream, mneme_error *error) {
    unsigned char *piece = malloc(PIECE);
    if (piece == NULL) return error_set_memory(error, file->path);
    mneme_status status = MNEME_OK;
    for (uint64_t done = 0; done < length && status == MNEME_OK;) {
        size_t n = length - done < PIECE ? (size_t)(length - done) : PIECE;
        status = file_reader_read(file, done, piece, n, error);
        THEN(digest_update(stream, piece, n, error));
        done += n;
    }
    free(piece);
    return status;
}

mneme_status digest_of_prefix(const char *path, uint64_t *length, struct digest *digest,
                              mneme_error *error) {
    struct file_reader file = {0};
    struct digest_stream stream = {0};
    mneme_status status = file_reader_open(&file, path, error);
    if (status == MNEME_OK && *length > file.size) *length = file.size;
    THEN(digest_open(&stream, error));
    THEN(digest_reader(&file, *length, &stream, error));
    THEN(digest_finish(&stream, digest, error));
    digest_close(&stream);
    file_reader_close(&file);
    return status;
}

mneme_status digest_of_file(const char *path, size_t max_bytes, struct digest *digest,
                            mneme_error *error) {
    char *bytes;
    size_t length;
    TRY(file_read(path, max_bytes, &bytes, &length, error));
    mneme_status status = digest_of_bytes(bytes, length, digest, error);
    free(bytes);
    return status;
}
