#ifndef MNEME_GENERATE_H
#define MNEME_GENERATE_H

/* Greedy text generation with a model folder. */

#include <stddef.h>
#include <stdint.h>

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mneme_generator mneme_generator;

/* Opens a folder with config.json, model.safetensors and tokenizer.json; without the last it can
 * continue token ids only. Prompt and continuation together have as many tokens as the model takes;
 * memory is taken for those that there are. */
MNEME_API mneme_status mneme_generator_open(const char *folder, mneme_generator **generator,
                                            mneme_error *error);
/* The same with a patch on the model (NULL: none); MNEME_BAD_INPUT, naming the patch, when it does
 * not fit. */
MNEME_API mneme_status mneme_generator_open_patched(const char *folder, const char *patch,
                                                    mneme_generator **generator,
                                                    mneme_error *error);
/* NULL is allowed. */
MNEME_API void mneme_generator_close(mneme_generator *generator);

/* Continues the prompt (UTF-8) by up to max_new_tokens tokens, always the likeliest, and stops at
 * the end of text (docs/interchange.md says where a prompt starts and a text ends). *text becomes
 * the continuation without the prompt; free it with free(). *n_tokens (may be NULL) becomes its
 * length. MNEME_BAD_INPUT for a prompt that is longer than the model takes. */
MNEME_API mneme_status mneme_generate(mneme_generator *generator, const char *prompt,
                                      size_t max_new_tokens, char **text, size_t *n_tokens,
                                      mneme_error *error);

/* Is told a text as it comes, piece by piece, from the calling thread; a piece has whole
 * characters, and lives until the callback returns. */
typedef void (*mneme_text_callback)(const char *piece, void *user);

/* mneme_generate, with a callback (NULL: none). The pieces make up *text. */
MNEME_API mneme_status mneme_generate_told(mneme_generator *generator, const char *prompt,
                                           size_t max_new_tokens, mneme_text_callback told,
                                           void *user, char **text, size_t *n_tokens,
                                           mneme_error *error);

/* mneme_generate for token ids: continues prompt [n_prompt] by up to max_new_tokens ids and stops
 * before stop_id (-1: at nothing). ids [max_new_tokens] is the continuation, *n_ids its length. */
MNEME_API mneme_status mneme_generate_ids(mneme_generator *generator, const int32_t *prompt,
                                          size_t n_prompt, size_t max_new_tokens, int32_t stop_id,
                                          int32_t *ids, size_t *n_ids, mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
