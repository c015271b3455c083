#ifndef TOKENIZER_CHAT_STYLE_H
#define TOKENIZER_CHAT_STYLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tokenizer/tokenizer.h"

/* How a model writes the turns of a chat. Chat templates are Jinja programs, which mneme does not
 * run: it knows a few styles by their marks, and writes plain turns in them. What a template adds
 * besides, such as a system's turn of its own, is not there. */
struct chat_style;

/* The style of a model by its tokens, and by its chat template (NULL: none is known), which decides
 * where both say something. NULL: none that is known. */
mneme_status chat_style_find(struct tokenizer *tokenizer, const char *chat_template,
                             const struct chat_style **style, mneme_error *error);
/* The same with the template of a model folder: chat_template.jinja, or `chat_template` in
 * tokenizer_config.json. A folder that has none of the files is none with a template. */
mneme_status chat_style_of_folder(struct tokenizer *tokenizer, const char *folder,
                                  const struct chat_style **style, mneme_error *error);

/* "ChatML", "Llama 3", … */
const char *chat_style_name(const struct chat_style *style);

/* The token with which an assistant's turn ends; TOKEN_NONE where that is not one token. */
mneme_status chat_style_end(const struct chat_style *style, struct tokenizer *tokenizer,
                            int32_t *end, mneme_error *error);

/* Appends the ids of a text, in which bytes are turns (text/form.h). The style's marks are special
 * tokens where the tokenizer has such; all else is data, in which what looks like a special token
 * stays text. A text without turns is tokenizer_encode_data's. The last turn stays open for the
 * model to continue, or is closed with its end. Needs a style where the text has turns. */
mneme_status chat_style_encode(const struct chat_style *style, struct tokenizer *tokenizer,
                               const char *text, bool is_closed, struct token_list *list,
                               mneme_error *error);

#endif
