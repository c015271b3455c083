#include <mneme/digest.h>

#include "base/error.h"
#include "tensor/model_digest.h"
#include "verify/consistency.h"

mneme_status mneme_digest_path(const char *path, mneme_digest *digest, mneme_error *error) {
    *digest = (mneme_digest){0};
    TRY(consistency_check(path, error));
    return model_digest_path(path, digest, error);
}

void mneme_digest_free(mneme_digest *digest) {
    model_digest_free(digest);
}
