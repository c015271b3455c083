#ifndef TENSOR_GGUF_H
#define TENSOR_GGUF_H

#include <jansson.h>

#include "base/file.h"
#include "tensor/gguf_widen.h"
#include "tensor/tensor.h"

/* GGUF, the llama.cpp project's model files, version 2 or 3, little-endian: `GGUF`, version, count
 * of tensors, count of metadata; the metadata, each a key, a type and a value; the tensors' names,
 * shapes, types and offsets; from the next multiple of `general.alignment` the tensors' bytes. */

/* ggml's limit. */
#define GGUF_MAX_RANK 4

struct gguf_entry {
    char *name;
    const struct gguf_type *type; /* NULL: one that cannot be widened; type_number says which */
    uint32_t type_number;
    size_t rank;
    size_t shape[GGUF_MAX_RANK]; /* rows outermost, as in safetensors; the file has them reversed */
    size_t count;                /* elements */
    uint64_t offset;             /* of its first byte, from the start of the file */
    uint64_t bytes;              /* 0 for a type that cannot be widened */
};

/* An open file. Every tensor's bytes lie inside it and none overlaps another. */
struct gguf {
    struct file_reader file;
    json_t *metadata;           /* an object; integers, reals, booleans, strings, lists of those; a
                                 * real that is no finite number is null */
    struct gguf_entry *entries; /* [n] by name */
    size_t n;
};

/* Whether the file begins as a GGUF file does. False for one that cannot be read. */
bool gguf_is(const char *path);

/* MNEME_BAD_INPUT, naming path, key or tensor, for anything that is not a valid file. */
mneme_status gguf_open(struct gguf *file, const char *path, mneme_error *error);
/* Does nothing to {0}. */
void gguf_close(struct gguf *file);

/* NULL if no tensor has that name. */
const struct gguf_entry *gguf_find(const struct gguf *file, const char *name);

/* Reads a tensor of exactly this shape into destination [shape], widened to f32.
 * MNEME_BAD_INPUT, naming path and tensor, when it is missing, has another shape or a type that
 * cannot be widened, or holds an infinity or NaN. */
mneme_status gguf_read_f32(const struct gguf *file, const char *name, size_t rank,
                           const size_t *shape, float *destination, mneme_error *error);
/* Refuses what gguf_read_f32 would refuse for its type or shape, without reading it. */
mneme_status gguf_check_f32(const struct gguf *file, const char *name, size_t rank,
                            const size_t *shape, mneme_error *error);

#endif
