#ifndef TENSOR_SAFETENSORS_H
#define TENSOR_SAFETENSORS_H

#include <jansson.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "tensor/tensor.h"

/* The safetensors format: 8 bytes of header length (little-endian), a JSON header
 * `{"__metadata__": {…}, NAME: {"dtype", "shape", "data_offsets"}, …}`, the bytes. */

/* A header longer than this is refused, as by the reference implementation. */
#define SAFETENSORS_MAX_HEADER 100000000

/* Metadata key of files whose numbers do not follow docs/arithmetic.md: what computed the products.
 */
#define SAFETENSORS_NOT_CANONICAL "not_canonical"

/* Metadata key of the files that mneme writes for itself: a digest of all else that is in them, the
 * seal. It is the SHA-256 of a text: the other metadata as JSON without blanks, keys in order of
 * bytes, a newline, and the lines of <mneme/digest.h>, one a tensor. So it does not depend on how
 * the tensors are ordered or the header is spaced. A file without a seal is another program's. */
#define SAFETENSORS_SEAL "mneme.sha256"

struct safetensors_metadata {
    const char *key;
    const char *value;
};

/* Writes a file atomically. The same tensors and metadata give the same bytes whatever their order:
 * types descend, so that wide ones come first and every tensor is aligned; within a type, names
 * ascend by byte; metadata keys ascend. These are the bytes that the reference implementation
 * writes. Names must differ, and so must keys. */
mneme_status safetensors_write(const char *path, const struct tensor *tensors, size_t n,
                               const struct safetensors_metadata *metadata, size_t n_metadata,
                               mneme_error *error);

/* The same with a seal added to the metadata, of which there may be at most
 * SAFETENSORS_MAX_SEALED. */
#define SAFETENSORS_MAX_SEALED 8
mneme_status safetensors_write_sealed(const char *path, const struct tensor *tensors, size_t n,
                                      const struct safetensors_metadata *metadata,
                                      size_t n_metadata, mneme_error *error);

struct safetensors_entry {
    struct tensor tensor; /* data is NULL; the name lives as long as the file is open */
    uint64_t offset;      /* of its first byte, from the start of the file */
    size_t bytes;
};

/* An open file. Its header has been checked against the file's size: every tensor's bytes are
 * those of its type and shape, and together they fill the file without gap or overlap. */
struct safetensors {
    struct file_reader file;
    json_t *header;
    struct safetensors_entry *entries; /* [n] by name */
    size_t n;
};

/* MNEME_BAD_INPUT, naming path and tensor, for anything that is not a valid file. Allocates no
 * more than the header needs, and nothing before the header's length is known to fit the file. */
mneme_status safetensors_open(struct safetensors *file, const char *path, mneme_error *error);
/* Does nothing to {0}. */
void safetensors_close(struct safetensors *file);

/* NULL if no tensor has that name. */
const struct safetensors_entry *safetensors_find(const struct safetensors *file, const char *name);
/* The metadata's value; NULL when there is none. */
const char *safetensors_metadata_get(const struct safetensors *file, const char *key);

/* Reads a tensor of exactly this shape into destination [shape]. F16 and BF16 are converted, which
 * is exact. MNEME_BAD_INPUT, naming path and tensor, when it is missing, has another shape or
 * type, or holds an infinity or NaN (then the element is named too). */
mneme_status safetensors_read_f32(const struct safetensors *file, const char *name, size_t rank,
                                  const size_t *shape, float *destination, mneme_error *error);
/* Refuses what safetensors_read_f32 would refuse for its type or shape, without reading it. */
mneme_status safetensors_check_f32(const struct safetensors *file, const char *name, size_t rank,
                                   const size_t *shape, mneme_error *error);
/* Refuses values of a tensor of the file that are not finite, naming the first. */
mneme_status safetensors_check_finite(const struct safetensors *file, const struct tensor *tensor,
                                      struct stored values, mneme_error *error);
/* The same as safetensors_read_f32 for types that are not converted: I32, U32, I64, U64, U8… */
mneme_status safetensors_read_exact(const struct safetensors *file, const char *name,
                                    enum tensor_type type, size_t rank, const size_t *shape,
                                    void *destination, mneme_error *error);
mneme_status safetensors_read_i32(const struct safetensors *file, const char *name, size_t rank,
                                  const size_t *shape, int32_t *destination, mneme_error *error);

/* A seal that is made of a file's tensors, which are added by name. */
struct safetensors_seal {
    struct digest_stream stream;
};

mneme_status safetensors_seal_open(struct safetensors_seal *seal, const json_t *metadata,
                                   mneme_error *error);
mneme_status safetensors_seal_add(struct safetensors_seal *seal, const struct tensor *tensor,
                                  const struct digest *digest, mneme_error *error);
/* Does nothing to {0}. */
void safetensors_seal_close(struct safetensors_seal *seal);
/* Refuses the file when it has a seal and that is another one; closes the seal. */
mneme_status safetensors_seal_compare(struct safetensors_seal *seal, const struct safetensors *file,
                                      mneme_error *error);

/* Reads the whole file, and refuses it (MNEME_BAD_INPUT, naming it) when its seal is broken. Does
 * nothing to a file without one. */
mneme_status safetensors_check_seal(const struct safetensors *file, mneme_error *error);

/* The digest of a tensor's bytes, read in pieces. */
mneme_status safetensors_digest_entry(const struct safetensors *file,
                                      const struct safetensors_entry *entry, struct digest *digest,
                                      mneme_error *error);

/* Reads `length` of the tensor's bytes from its `offset`, unconverted. */
mneme_status safetensors_read_bytes(const struct safetensors *file,
                                    const struct safetensors_entry *entry, size_t offset,
                                    void *bytes, size_t length, mneme_error *error);

#endif
