#include "nn/matmul_backend.h"

#include <stddef.h>
#include <string.h>

#include <mneme/matmul.h>

#include "nn/onednn.h"

const char *const matmul_backend_names[2] = {"canonical", "onednn"};

mneme_status matmul_backend_choose(enum matmul_backend backend, mneme_error *error) {
    onednn_close();
    if (backend == MATMUL_CANONICAL || onednn_open()) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "matmul onednn: %s",
                     onednn_version() == NULL ? "this build has no oneDNN"
                                              : "oneDNN finds no engine for this CPU");
}

mneme_status mneme_matmul_choose(const char *name, mneme_error *error) {
    if (strcmp(name, "canonical") == 0) return matmul_backend_choose(MATMUL_CANONICAL, error);
    if (strcmp(name, "onednn") == 0) return matmul_backend_choose(MATMUL_ONEDNN, error);
    return error_set(error, MNEME_BAD_INPUT, "matmul %s: is neither `canonical` nor `onednn`",
                     name);
}

const char *matmul_backend_mark(void) {
    return onednn_is_open() ? onednn_version() : NULL;
}
