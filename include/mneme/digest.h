#ifndef MNEME_DIGEST_H
#define MNEME_DIGEST_H

#include <stddef.h>

#include <mneme/error.h>

/* Digests of models: what two people compare to know that they have the same weights.
 *
 * A tensor's digest is the SHA-256 of its elements as little-endian bytes, rows outermost. The
 * digest of the whole is the SHA-256 of one line per tensor, lines in ascending byte order of the
 * names:
 *
 *     NAME <tab> TYPE <tab> SHAPE <tab> DIGEST <newline>        e.g. "w\tF32\t[2,3]\t9f86…0f00a\n"
 *
 * TYPE is safetensors' (F32, BF16, I64…), SHAPE has no spaces ("[]" for a scalar), DIGEST is 64
 * lower-case hexadecimal digits. The order of tensors in the file and its metadata do not matter.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define MNEME_DIGEST_MAX_RANK 8

typedef struct mneme_tensor_digest {
    char *name;
    const char *type; /* static */
    size_t rank;
    size_t shape[MNEME_DIGEST_MAX_RANK];
    char sha256[65];
} mneme_tensor_digest;

typedef struct mneme_digest {
    mneme_tensor_digest *tensors; /* [n_tensors] by name */
    size_t n_tensors;
    char sha256[65]; /* of the whole */
    /* What computed the numbers, such as "onednn 2.6.3", if it does not keep to the arithmetic
     * contract; another machine then gets other digests. Otherwise empty. */
    char not_canonical[64];
} mneme_digest;

/* Digests a .safetensors file, or a folder: its model.safetensors when it has one, otherwise every
 * *.safetensors file below it; then a tensor's name is "RELATIVE/PATH.safetensors:NAME". Reads
 * every byte, holds little in memory, checks nothing about the values.
 * MNEME_BAD_INPUT for a path that is missing or malformed, a folder without such files, a file that
 * is not what its own digest says (metadata `mneme.sha256`), and a run folder whose files
 * contradict each other: files and SHA256SUMS, models, scores and answers, the base and its trail.
 * Free with mneme_digest_free, which also takes a digest that is all zero. */
MNEME_API mneme_status mneme_digest_path(const char *path, mneme_digest *digest,
                                         mneme_error *error);
MNEME_API void mneme_digest_free(mneme_digest *digest);

#ifdef __cplusplus
}
#endif

#endif
