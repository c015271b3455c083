#include "tensor/safetensors_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"

/* The header's room, spaces included: it is written last, when the vector's length is known. */
#define HEADER_BYTES 4096

static size_t element_bytes(const struct safetensors_stream *stream) {
    struct tensor one = {.type = stream->tensor.type, .rank = 1, .shape = {1}};
    size_t bytes = 0;
    tensor_bytes(&one, &bytes);
    return bytes;
}

mneme_status safetensors_stream_open(struct safetensors_stream *stream, const char *path,
                                     const char *name, enum tensor_type type, mneme_error *error) {
    static const char room[sizeof(uint64_t) + HEADER_BYTES];
    *stream = (struct safetensors_stream){.tensor = {.name = name, .type = type, .rank = 1}};
    mneme_status status = digest_open(&stream->digest, error);
    THEN(file_writer_open(&stream->writer, path, error));
    THEN(file_writer_write(&stream->writer, room, sizeof room, error));
    if (status != MNEME_OK) safetensors_stream_abandon(stream);
    return status;
}

mneme_status safetensors_stream_add(struct safetensors_stream *stream, const void *elements,
                                    size_t n, mneme_error *error) {
    const size_t bytes = n * element_bytes(stream);
    TRY(digest_update(&stream->digest, elements, bytes, error));
    TRY(file_writer_write(&stream->writer, elements, bytes, error));
    stream->tensor.shape[0] += n;
    return MNEME_OK;
}

/* The metadata with the seal that they and the vector make; NULL without memory. */
static json_t *sealed(struct safetensors_stream *stream,
                      const struct safetensors_metadata *metadata, size_t n, mneme_error *error) {
    struct safetensors_seal seal = {0};
    struct digest of_tensor, whole;
    json_t *object = json_object();
    for (size_t i = 0; i < n; i++) {
        json_object_set_new(object, metadata[i].key, json_string(metadata[i].value));
    }
    mneme_status status = digest_finish(&stream->digest, &of_tensor, error);
    THEN(safetensors_seal_open(&seal, object, error));
    THEN(safetensors_seal_add(&seal, &stream->tensor, &of_tensor, error));
    THEN(digest_finish(&seal.stream, &whole, error));
    safetensors_seal_close(&seal);
    if (status == MNEME_OK &&
        json_object_set_new(object, SAFETENSORS_SEAL, json_string(whole.hex)) == 0) {
        return object;
    }
    json_decref(object);
    return NULL;
}

/* Takes the metadata. */
static char *print_header(const struct safetensors_stream *stream, json_t *metadata) {
    const json_int_t n = (json_int_t)stream->tensor.shape[0];
    json_t *entry =
        json_pack("{s:s, s:[I], s:[i, I]}", "dtype", tensor_type_name(stream->tensor.type), "shape",
                  n, "data_offsets", 0, n * (json_int_t)element_bytes(stream));
    json_t *header = json_pack("{s:o, s:o}", "__metadata__", metadata, stream->tensor.name, entry);
    char *text = header == NULL ? NULL : json_print(header, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(header);
    return text;
}

/* The length, the text and spaces, over the room that was left. */
static mneme_status write_header(struct file_writer *writer, const char *text, mneme_error *error) {
    const uint64_t padded = HEADER_BYTES;
    char header[HEADER_BYTES];
    const size_t length = strlen(text);
    if (length > HEADER_BYTES) {
        return error_set(error, MNEME_FAILED, "%s: the header has no room", writer->path);
    }
    memset(header, ' ', sizeof header);
    memcpy(header, text, length);
    if (fseek(writer->stream, 0, SEEK_SET) != 0) {
        return error_set_errno(error, writer->path, "cannot write");
    }
    TRY(file_writer_write(writer, &padded, sizeof padded, error));
    return file_writer_write(writer, header, sizeof header, error);
}

mneme_status safetensors_stream_finish(struct safetensors_stream *stream,
                                       const struct safetensors_metadata *metadata,
                                       size_t n_metadata, mneme_error *error) {
    json_t *object = sealed(stream, metadata, n_metadata, error);
    char *text = object == NULL ? NULL : print_header(stream, object);
    mneme_status status = text == NULL ? error_set_memory(error, stream->writer.path) : MNEME_OK;
    THEN(write_header(&stream->writer, text, error));
    THEN(file_writer_finish(&stream->writer, error));
    free(text);
    safetensors_stream_abandon(stream);
    return status;
}

void safetensors_stream_abandon(struct safetensors_stream *stream) {
    digest_close(&stream->digest);
    file_writer_abandon(&stream->writer);
}
