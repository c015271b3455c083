#ifndef SPLITTER_BYTE_ALPHABET_H
#define SPLITTER_BYTE_ALPHABET_H

#include <stdbool.h>
#include <stddef.h>

/* GPT-2's way of writing any bytes as printable text: a byte that is a printable character of
 * Latin-1 stands for itself, the 68 others for U+0100 and on, in byte order. */

/* The text of the bytes, NUL-terminated UTF-8; the caller frees it. NULL without memory. */
char *byte_alphabet_write(const char *bytes, size_t length);

/* The same into `text`, which has room for 2 * length bytes, without a NUL; returns how many there
 * are. */
size_t byte_alphabet_write_to(char *text, const char *bytes, size_t length);

/* Turns such text back, in place (bytes are never longer), and sets *length to how many there are.
 * False when a character stands for no byte. */
bool byte_alphabet_read(char *text, size_t text_length, size_t *length);

#endif
