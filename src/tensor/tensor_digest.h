#ifndef TENSOR_TENSOR_DIGEST_H
#define TENSOR_TENSOR_DIGEST_H

#include <mneme/digest.h>

#include "base/digest.h"
#include "tensor/tensor.h"

/* The digest of tensors in memory, by the rules in <mneme/digest.h>; a file with these tensors has
 * the same. The tensors may come in any order; names must differ. `each` [n], in the
 * caller's order, may be NULL. */
mneme_status tensor_digest_list(const struct tensor *tensors, size_t n, struct digest *whole,
                                struct digest *each, mneme_error *error);

/* Of one tensor's bytes. */
mneme_status tensor_digest_of(const struct tensor *tensor, struct digest *digest,
                              mneme_error *error);

/* Adds the line of one tensor, whose bytes have the digest `hex`. */
mneme_status tensor_digest_add_line(struct digest_stream *stream, const char *name,
                                    const char *type, size_t rank, const size_t *shape,
                                    const char *hex, mneme_error *error);

/* Fills digest->sha256 from its tensors, which must be sorted by name. */
mneme_status tensor_digest_whole(mneme_digest *digest, mneme_error *error);

#endif
