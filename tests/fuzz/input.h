#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The readers take paths: a file in memory that holds the input, under a name in /proc. */
static inline int input_open(const uint8_t *bytes, size_t length, char path[64]) {
    int descriptor = memfd_create("input", 0);
    if (descriptor < 0 || write(descriptor, bytes, length) != (ssize_t)length) abort();
    snprintf(path, 64, "/proc/self/fd/%d", descriptor);
    return descriptor;
}

/* A refusal is one line and no accident of the machine's. */
static inline void input_check(mneme_status status, const mneme_error *error) {
    if (status == MNEME_OK) return;
    if (status != MNEME_BAD_INPUT || error->message[0] == '\0') abort();
    if (strchr(error->message, '\n') != NULL) abort();
}

#endif
