#ifndef GENERATE_ANSWER_ENDS_H
#define GENERATE_ANSWER_ENDS_H

#include "generate/generate.h"
#include "tokenizer/chat_style.h"
#include "tokenizer/tokenizer.h"

/* Where an answer of one line ends: before the first line break, and before the tokens that end a
 * text or a turn of a chat. */

/* Appends the tokens that end an answer to *stops: the tokenizer's end of text, the style's end of
 * a turn (NULL: no chats), and every token whose text begins with a line break. What else stops a
 * model (text_ends.h) is the caller's to append. */
mneme_status answer_ends(struct tokenizer *tokenizer, const struct chat_style *style,
                         struct token_list *stops, mneme_error *error);

/* The length of said[0..length) up to its first line break, which may stand within a token. */
size_t answer_length(const char *said, size_t length);

#endif
