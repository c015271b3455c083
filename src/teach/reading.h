#ifndef TEACH_READING_H
#define TEACH_READING_H

#include "tokenizer/token_texts.h"

/* Ordinary text for keys and background, and a slice that is held out to see what is forgotten. */
struct reading {
    struct token_texts texts;    /* sequences of READING_LENGTH inputs, or fewer */
    struct token_texts held_out; /* the same */
};

#define READING_LENGTH 128

/* Reads as many tokens of the sources (files and folders, corpus/text_files.h) as are needed, the
 * held-out ones first; without sources, of the text that comes with mneme. MNEME_BAD_INPUT, naming
 * the first source, where they have less than a few thousand. */
mneme_status reading_open(struct reading *reading, struct tokenizer *tokenizer,
                          const char *const *sources, size_t n_sources, size_t max_seq_len,
                          size_t n_tokens, mneme_error *error);
/* Does nothing to {0}. */
void reading_close(struct reading *reading);

#endif
