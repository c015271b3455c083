#include "tokenizer/byte_alphabet.h"

#include <stdint.h>
#include <stdlib.h>

#include "text/utf8.h"

static bool stands_for_itself(uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte != 0xad);
}

/* characters[b] is the character of byte b. */
static void make_alphabet(uint32_t characters[256]) {
    uint32_t next = 0x100;
    for (uint32_t byte = 0; byte < 256; byte++) {
        characters[byte] = stands_for_itself(byte) ? byte : next++;
    }
}

char *byte_alphabet_write(const char *bytes, size_t length) {
    uint32_t characters[256];
    make_alphabet(characters);
    char *text = malloc(2 * length + 1);
    if (text == NULL) return NULL;
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        char encoded[4];
        size_t n_encoded = utf8_encode(characters[(unsigned char)bytes[i]], encoded);
        for (size_t j = 0; j < n_encoded; j++) text[n++] = encoded[j];
    }
    text[n] = '\0';
    return text;
}

bool byte_alphabet_read(char *text, size_t text_length, size_t *length) {
    uint32_t characters[256];
    make_alphabet(characters);
    *length = 0;
    for (size_t i = 0; i < text_length;) {
        uint32_t character;
        size_t n = utf8_decode(text + i, text_length - i, &character);
        if (n == 0) return false;
        i += n;
        size_t byte = 0;
        while (byte < 256 && characters[byte] != character) byte++;
        if (byte == 256) return false;
        text[(*length)++] = (char)byte;
    }
    return true;
}
