#include <mneme/matmul.h>

#include <string.h>

#include "nn/matmul_backend.h"

mneme_status mneme_matmul_choose(const char *name, mneme_error *error) {
    if (strcmp(name, "canonical") == 0) return matmul_backend_choose(MATMUL_CANONICAL, error);
    if (strcmp(name, "onednn") == 0) return matmul_backend_choose(MATMUL_ONEDNN, error);
    return error_set(error, MNEME_BAD_INPUT, "matmul %s: is neither `canonical` nor `onednn`",
                     name);
}
