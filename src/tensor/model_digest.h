#ifndef TENSOR_MODEL_DIGEST_H
#define TENSOR_MODEL_DIGEST_H

#include <mneme/digest.h>

/* mneme_digest_path and mneme_digest_free, for the library's own use. */
mneme_status model_digest_path(const char *path, mneme_digest *digest, mneme_error *error);
void model_digest_free(mneme_digest *digest);

#endif
