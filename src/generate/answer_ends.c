#include "generate/answer_ends.h"

#include <stdlib.h>
#include <string.h>

/* Appends a token, if it is one. */
static mneme_status add(struct token_list *stops, int32_t id, mneme_error *error) {
    return id == TOKEN_NONE ? MNEME_OK : token_list_append(stops, &id, 1, error);
}

static mneme_status add_line_break(const struct tokenizer *tokenizer, int32_t id,
                                   struct token_list *stops, mneme_error *error) {
    char *text;
    TRY(tokenizer_decode(tokenizer, &id, 1, &text, NULL, error));
    const bool ends = text[0] == '\n';
    free(text);
    return ends ? add(stops, id, error) : MNEME_OK;
}

mneme_status answer_ends(struct tokenizer *tokenizer, const struct chat_style *style,
                         struct token_list *stops, mneme_error *error) {
    int32_t turn = TOKEN_NONE;
    if (style != NULL) TRY(chat_style_end(style, tokenizer, &turn, error));
    TRY(add(stops, tokenizer_end_of_text(tokenizer), error));
    TRY(add(stops, turn, error));
    for (size_t i = 0; i < tokenizer_vocab_size(tokenizer); i++) {
        TRY(add_line_break(tokenizer, (int32_t)i, stops, error));
    }
    return MNEME_OK;
}

size_t answer_length(const char *said, size_t length) {
    const char *end = memchr(said, '\n', length);
    return end == NULL ? length : (size_t)(end - said);
}
