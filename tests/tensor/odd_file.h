#ifndef TESTS_ODD_FILE_H
#define TESTS_ODD_FILE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/assertions.h"

/* Makes the header of a .safetensors file one byte longer, as another program might: no number of
 * more than a byte then lies where the machine has such numbers. */
static inline void make_odd(const char *path) {
    char *bytes = NULL;
    size_t length;
    uint64_t header;
    mneme_error error;
    assert_ok(file_read(path, (size_t)1 << 30, &bytes, &length, &error), &error);
    memcpy(&header, bytes, sizeof header);
    const size_t end = sizeof header + header;
    char *longer = malloc(length + 1);
    memcpy(longer, bytes, end);
    longer[end] = ' ';
    memcpy(longer + end + 1, bytes + end, length - end);
    header++;
    memcpy(longer, &header, sizeof header);
    assert_ok(file_write_atomic(path, longer, length + 1, &error), &error);
    free(longer);
    free(bytes);
}

#endif
