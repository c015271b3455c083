#include "splitter/byte_alphabet.h"

#include <stdint.h>
#include <stdlib.h>

#include "text/utf8.h"

static bool stands_for_itself(uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte != 0xad);
}

static uint32_t character_of(uint32_t byte) {
    if (stands_for_itself(byte)) return byte;
    return byte < 0x21 ? 0x100 + byte : byte < 0xa1 ? 0x121 + byte - 0x7f : 0x143;
}

/* The byte that a character stands for; 256 for none. */
static uint32_t byte_of(uint32_t character) {
    if (stands_for_itself(character)) return character;
    if (character < 0x100 || character > 0x143) return 256;
    return character < 0x121   ? character - 0x100
           : character < 0x143 ? character - 0x121 + 0x7f
                               : 0xad;
}

size_t byte_alphabet_write_to(char *text, const char *bytes, size_t length) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        char encoded[4];
        size_t n_encoded = utf8_encode(character_of((unsigned char)bytes[i]), encoded);
        for (size_t j = 0; j < n_encoded; j++) text[n++] = encoded[j];
    }
    return n;
}

char *byte_alphabet_write(const char *bytes, size_t length) {
    char *text = malloc(2 * length + 1);
    if (text == NULL) return NULL;
    text[byte_alphabet_write_to(text, bytes, length)] = '\0';
    return text;
}

bool byte_alphabet_read(char *text, size_t text_length, size_t *length) {
    *length = 0;
    for (size_t i = 0; i < text_length;) {
        uint32_t character;
        size_t n = utf8_decode(text + i, text_length - i, &character);
        if (n == 0) return false;
        i += n;
        uint32_t byte = byte_of(character);
        if (byte == 256) return false;
        text[(*length)++] = (char)byte;
    }
    return true;
}
