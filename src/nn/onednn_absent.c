/* A build without oneDNN. */
#include "nn/onednn.h"

const char *onednn_version(void) {
    return NULL;
}

bool onednn_open(void) {
    return false;
}

void onednn_close(void) {
}

bool onednn_is_open(void) {
    return false;
}

bool onednn_matmul(size_t m, size_t n, size_t k, const struct matrix *a, const struct matrix *b,
                   float *c, size_t c_stride, bool accumulate) {
    (void)m, (void)n, (void)k, (void)a, (void)b, (void)c, (void)c_stride, (void)accumulate;
    return false;
}

size_t onednn_packed_size(size_t k, size_t n) {
    (void)k, (void)n;
    return 0;
}

bool onednn_pack(size_t k, size_t n, const struct matrix *b, void *packed) {
    (void)k, (void)n, (void)b, (void)packed;
    return false;
}
