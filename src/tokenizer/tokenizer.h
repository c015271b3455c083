#ifndef TOKENIZER_TOKENIZER_H
#define TOKENIZER_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tokenizer/token_list.h"

/* Byte pair encoding (Sennrich et al. 2016) in Hugging Face's tokenizer.json: those that mneme
 * trains, which are byte-level as GPT-2's, and those of others, byte-level (GPT-2, Llama 3, Qwen,
 * SmolLM) or of characters (Llama 2, Mistral, Gemma); docs/interchange.md has what is known. It
 * gives the ids of the Python package `tokenizers`, without the special tokens that the package
 * puts around a text. Text is bytes: invalid UTF-8 encodes like anything else, see splitter.h. A
 * tokenizer serves one thread at a time, since it caches words (but see encode_many.h). */
struct tokenizer;

/* GPT-2's splitting pattern, except that every digit stands alone, which helps with sums. */
#define TOKENIZER_PATTERN \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* Id 0 in the tokenizers that mneme trains. Where this stands in a prompt, it becomes that one id.
 */
#define TOKENIZER_END_OF_TEXT "<|end_of_text|>"

/* A trained tokenizer has at least the end of text and the 256 bytes. */
#define TOKENIZER_MIN_TOKENS 257

/* Learns vocab_size tokens from the texts (NUL-terminated; they are data): id 0 is the end of text,
 * 1 + b is the byte b, and then comes one token per merge. The merge is always the most frequent
 * pair of neighbours; among equals the one whose (left bytes, right bytes) come first. Stops early,
 * with fewer tokens, when no pair occurs twice. The order of the texts does not matter. */
mneme_status tokenizer_train(const char *const *texts, size_t n_texts, size_t vocab_size,
                             struct tokenizer **tokenizer, mneme_error *error);

/* The same with another splitting pattern (PCRE2 syntax, kept in the file). */
mneme_status tokenizer_train_pattern(const char *pattern, const char *const *texts, size_t n_texts,
                                     size_t vocab_size, struct tokenizer **tokenizer,
                                     mneme_error *error);

/* Reads or writes Hugging Face's tokenizer.json. Loading refuses, with MNEME_BAD_INPUT, whatever
 * would make the ids differ from those of the Python package. What was loaded is written byte for
 * byte as it was. */
mneme_status tokenizer_load(const char *path, struct tokenizer **tokenizer, mneme_error *error);
mneme_status tokenizer_save(const struct tokenizer *tokenizer, const char *path,
                            mneme_error *error);

/* NULL is allowed. */
void tokenizer_free(struct tokenizer *tokenizer);

/* Appends the ids of text[0..length) to *list. Adds no token of its own. */
mneme_status tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t length,
                              struct token_list *list, mneme_error *error);

/* The same for data, texts and questions of files, where what looks like a special token stays
 * text, as with `encode_special_tokens` of the Python package. */
mneme_status tokenizer_encode_data(struct tokenizer *tokenizer, const char *text, size_t length,
                                   struct token_list *list, mneme_error *error);

/* *text becomes what the ids say, *length its bytes (length may be NULL) and a NUL; the caller
 * frees it. That is what the Python package decodes them to, with special tokens by their names;
 * but where bytes of a byte-level vocabulary are no UTF-8, they stay as they are (unicode_repair
 * makes of them what the package prints). An id that no token has is nothing. MNEME_BAD_INPUT for
 * an id that is not in the vocabulary. */
mneme_status tokenizer_decode(const struct tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                              char **text, size_t *length, mneme_error *error);

/* The same, with or without special tokens (`skip_special_tokens` of the package). */
enum decode_special { DECODE_ALL, DECODE_SKIPS_SPECIAL };
mneme_status tokenizer_decode_as(const struct tokenizer *tokenizer, const int32_t *ids,
                                 size_t n_ids, enum decode_special special, char **text,
                                 size_t *length, mneme_error *error);

/* What the ids add to a text whose ids are `before`: a decoder may treat the beginning of a text in
 * its own way (Llama 2's drops the blank there). */
mneme_status tokenizer_decode_after(const struct tokenizer *tokenizer,
                                    const struct token_list *before, const int32_t *ids,
                                    size_t n_ids, char **text, size_t *length, mneme_error *error);

/* Ids are 0 to this - 1; in others' files some of them may have no token. */
size_t tokenizer_vocab_size(const struct tokenizer *tokenizer);
/* Ids that texts without special tokens can have are 0 to this - 1. */
size_t tokenizer_text_size(const struct tokenizer *tokenizer);

/* The special token that ends a text: TOKENIZER_END_OF_TEXT or, in others' files, `<|endoftext|>`,
 * `</s>` or `<|im_end|>`, the first of these that exists; TOKEN_NONE for none. */
int32_t tokenizer_end_of_text(const struct tokenizer *tokenizer);
/* The one that stands before a text: `<|begin_of_text|>` or `<s>` where there is one, otherwise the
 * end of the text before. */
int32_t tokenizer_start_of_text(const struct tokenizer *tokenizer);
/* The file it was loaded from, for messages. */
const char *tokenizer_place(const struct tokenizer *tokenizer);

/* What other programs put around a text by themselves (add_special_tokens): what the file's
 * post_processor says. */
const struct token_frame *tokenizer_frame(const struct tokenizer *tokenizer);

#endif
