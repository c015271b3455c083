#include "nn/matmul_backend.h"

#include <stddef.h>

#include "nn/onednn.h"

const char *const matmul_backend_names[2] = {"canonical", "onednn"};

mneme_status matmul_backend_choose(enum matmul_backend backend, mneme_error *error) {
    onednn_close();
    if (backend == MATMUL_CANONICAL || onednn_open()) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "matmul onednn: %s",
                     onednn_version() == NULL ? "this build has no oneDNN"
                                              : "oneDNN finds no engine for this CPU");
}

const char *matmul_backend_mark(void) {
    return onednn_is_open() ? onednn_version() : NULL;
}
