#include "text/utf8.h"

size_t utf8_decode(const char *text, size_t length, uint32_t *character) {
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (length == 0) return 0;
    const unsigned char *bytes = (const unsigned char *)text;
    size_t n = bytes[0] < 0x80             ? 1
               : (bytes[0] & 0xe0) == 0xc0 ? 2
               : (bytes[0] & 0xf0) == 0xe0 ? 3
               : (bytes[0] & 0xf8) == 0xf0 ? 4
                                           : 0;
    if (n == 0 || n > length) return 0;
    uint32_t code = n == 1 ? bytes[0] : bytes[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 0;
    if (character != NULL) *character = code;
    return n;
}

/* Length of the bytes at text that can begin a character but do not go on as one; 1 for a byte that
 * cannot (Unicode 14, section 3.9: the maximal subpart). */
static size_t broken_length(const unsigned char *bytes, size_t length) {
    unsigned first = bytes[0];
    if (first < 0xc2 || first > 0xf4 || length < 2) return 1;
    unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) return 1;
    size_t n = 2, most = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    while (n < most && n < length && (bytes[n] & 0xc0) == 0x80) n++;
    return n;
}

size_t utf8_decode_any(const char *text, size_t length, uint32_t *character) {
    size_t n = utf8_decode(text, length, character);
    if (n > 0) return n;
    *character = 0xfffd;
    return broken_length((const unsigned char *)text, length);
}

size_t utf8_encode(uint32_t character, char bytes[4]) {
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    size_t n = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    bytes[0] = (char)((0xf00u >> n & 0xf0u) | character);
    return n;
}

size_t utf8_valid_length(const char *text, size_t length) {
    size_t valid = 0;
    while (valid < length) {
        size_t n = utf8_decode(text + valid, length - valid, NULL);
        if (n == 0) break;
        valid += n;
    }
    return valid;
}
