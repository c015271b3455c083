#include "corpus/text_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/file.h"
#include "text/utf8.h"

/* How files begin that people have beside texts. */
static const struct {
    const char *magic;
    size_t length;
    const char *cause;
} others[] = {{"\x1f\x8b", 2, "is compressed with gzip; unpack it first"},
              {"BZh", 3, "is compressed with bzip2; unpack it first"},
              {"\xfd"
               "7zXZ",
               5, "is compressed with xz; unpack it first"},
              {"\x28\xb5\x2f\xfd", 4, "is compressed with zstd; unpack it first"},
              {"PK\x03\x04", 4, "is a zip file; unpack it first"},
              {"PAR1", 4, "is a Parquet file; JSON lines with `text` can be read"},
              {"%PDF-", 5, "is a PDF file, not text"}};

static mneme_status check_kind(const char *path, const char *bytes, size_t length,
                               mneme_error *error) {
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (length < others[i].length || memcmp(bytes, others[i].magic, others[i].length) != 0) {
            continue;
        }
        return error_set(error, MNEME_BAD_INPUT, "%s: %s", path, others[i].cause);
    }
    if (!file_is_wide_text(bytes, length)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: is UTF-16 or UTF-32 text; it must be saved as UTF-8", path);
}

/* Whether the 8 bytes are ASCII without NUL. */
static bool is_plain(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    return ((word | (word - ones)) & tops) == 0;
}

/* The first byte that is no text, or `length`. */
static size_t find_wrong(const char *bytes, size_t length) {
    size_t i = 0;
    while (i < length) {
        if (length - i >= 8 && is_plain(bytes + i)) {
            i += 8;
            continue;
        }
        size_t n = bytes[i] == '\0' ? 0 : utf8_decode(bytes + i, length - i, NULL);
        if (n == 0) break;
        i += n;
    }
    return i;
}

mneme_status text_check(const char *path, const char *bytes, size_t length, mneme_error *error) {
    TRY(check_kind(path, bytes, length, error));
    const size_t wrong = find_wrong(bytes, length);
    if (wrong == length) return MNEME_OK;
    size_t line = 1;
    for (size_t i = 0; i < wrong; i++) line += bytes[i] == '\n';
    return error_set(error, MNEME_BAD_INPUT, "%s:%zu: %s (byte %zu of the file)", path, line,
                     bytes[wrong] == '\0' ? "a NUL byte" : "invalid UTF-8", wrong + 1);
}
