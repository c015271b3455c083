#ifndef TENSOR_SAFETENSORS_STREAM_H
#define TENSOR_SAFETENSORS_STREAM_H

#include "tensor/safetensors.h"

/* A sealed safetensors file with one tensor, a vector that is written in pieces while it is made,
 * so that it need not be in memory. Start from {0}; always end with finish or abandon. The file
 * appears whole or not at all. */
struct safetensors_stream {
    struct file_writer writer;
    struct digest_stream digest; /* of the pieces */
    struct tensor tensor;        /* its shape grows */
};

/* `name` must live as long as the stream. */
mneme_status safetensors_stream_open(struct safetensors_stream *stream, const char *path,
                                     const char *name, enum tensor_type type, mneme_error *error);
/* Appends n elements of the type. */
mneme_status safetensors_stream_add(struct safetensors_stream *stream, const void *elements,
                                    size_t n, mneme_error *error);
/* Writes the header, with a seal and the metadata, whose keys must ascend. */
mneme_status safetensors_stream_finish(struct safetensors_stream *stream,
                                       const struct safetensors_metadata *metadata,
                                       size_t n_metadata, mneme_error *error);
/* Removes what was written. Does nothing to {0} or after finish. */
void safetensors_stream_abandon(struct safetensors_stream *stream);

#endif
