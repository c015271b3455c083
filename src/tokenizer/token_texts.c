#include "tokenizer/token_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/form.h"

/* Appends the token, unless there is none. */
static mneme_status append(struct token_list *list, int32_t id, mneme_error *error) {
    return id == TOKEN_NONE ? MNEME_OK : token_list_append(list, &id, 1, error);
}

/* A text whose end has no token would run into what comes after it. */
static mneme_status check_end(const struct tokenizer *tokenizer, mneme_error *error) {
    if (tokenizer_end_of_text(tokenizer) != TOKEN_NONE) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: added_tokens: no token that ends a text, such as \"" TOKENIZER_END_OF_TEXT
                     "\" or \"<|endoftext|>\", which training on texts needs",
                     tokenizer_place(tokenizer));
}

/* starts and lengths grow together. */
static mneme_status add_sequence(struct token_texts *texts, size_t start, size_t length,
                                 mneme_error *error) {
    if (texts->n == texts->capacity) {
        size_t capacity = texts->capacity == 0 ? 64 : 2 * texts->capacity;
        size_t *starts = realloc(texts->starts, capacity * sizeof *starts);
        if (starts == NULL) return error_set_memory(error, "token sequences");
        texts->starts = starts;
        size_t *lengths = realloc(texts->lengths, capacity * sizeof *lengths);
        if (lengths == NULL) return error_set_memory(error, "token sequences");
        texts->lengths = lengths;
        texts->capacity = capacity;
    }
    texts->starts[texts->n] = start;
    texts->lengths[texts->n++] = length;
    return MNEME_OK;
}

static mneme_status add_text(struct token_texts *texts, struct tokenizer *tokenizer,
                             const char *text, size_t max_inputs, mneme_error *error) {
    size_t first = texts->tokens.n;
    mneme_status status = append(&texts->tokens, tokenizer_start_of_text(tokenizer), error);
    THEN(tokenizer_encode_data(tokenizer, text, strlen(text), &texts->tokens, error));
    THEN(append(&texts->tokens, tokenizer_end_of_text(tokenizer), error));
    if (status != MNEME_OK) return status;
    size_t inputs = texts->tokens.n - first - 1;
    for (size_t done = 0; status == MNEME_OK && done < inputs; done += max_inputs) {
        size_t length = inputs - done < max_inputs ? inputs - done : max_inputs;
        status = add_sequence(texts, first + done, length, error);
    }
    return status;
}

mneme_status token_texts_add_ids(struct token_texts *texts, const int32_t *ids, size_t n,
                                 mneme_error *error) {
    size_t first = texts->tokens.n;
    TRY(token_list_append(&texts->tokens, ids, n, error));
    return add_sequence(texts, first, n - 1, error);
}

mneme_status token_texts_add(struct token_texts *texts, struct tokenizer *tokenizer, size_t n,
                             char *const *strings, size_t max_inputs, mneme_error *error) {
    if (n > 0) TRY(check_end(tokenizer, error));
    for (size_t i = 0; i < n; i++) {
        TRY(add_text(texts, tokenizer, strings[i], max_inputs, error));
    }
    return MNEME_OK;
}

/* Appends the tokens of a text, without what stands after it. */
static mneme_status add_in(struct token_texts *texts, struct tokenizer *tokenizer,
                           const struct text_manner *manner, const char *text, bool is_closed,
                           mneme_error *error) {
    TRY(token_list_append(&texts->tokens, manner->before, manner->n_before, error));
    return chat_style_encode(manner->style, tokenizer, text, is_closed, &texts->tokens, error);
}

static mneme_status add_one_in(struct token_texts *texts, struct tokenizer *tokenizer,
                               const struct text_manner *manner, const char *text,
                               struct texts_lost *lost, mneme_error *error) {
    size_t first = texts->tokens.n;
    const bool is_chat = form_is_chat(text);
    if (is_chat && manner->style == NULL) {
        lost->n_chats++;
        return MNEME_OK;
    }
    TRY(add_in(texts, tokenizer, manner, text, true, error));
    if (!is_chat) TRY(append(&texts->tokens, manner->end, error));
    size_t inputs = texts->tokens.n - first;
    if (inputs < 2) return MNEME_OK; /* nothing follows anything */
    const bool is_cut = --inputs > manner->max_inputs;
    lost->n_cut += is_cut;
    return add_sequence(texts, first, is_cut ? manner->max_inputs : inputs, error);
}

mneme_status token_texts_add_in(struct token_texts *texts, struct tokenizer *tokenizer,
                                const struct text_manner *manner, size_t n, char *const *strings,
                                struct texts_lost *lost, mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        TRY(add_one_in(texts, tokenizer, manner, strings[i], lost, error));
    }
    return MNEME_OK;
}

mneme_status token_texts_add_asked(struct token_texts *texts, struct tokenizer *tokenizer,
                                   const struct text_manner *manner, const char *prompt,
                                   mneme_error *error) {
    size_t first = texts->tokens.n;
    TRY(add_in(texts, tokenizer, manner, prompt, false, error));
    TRY(add_sequence(texts, first, texts->tokens.n - first, error));
    return append(&texts->tokens, manner->end, error);
}

mneme_status token_texts_add_prompt(struct token_texts *texts, struct tokenizer *tokenizer,
                                    const char *prompt, mneme_error *error) {
    size_t first = texts->tokens.n;
    mneme_status status = append(&texts->tokens, tokenizer_start_of_text(tokenizer), error);
    THEN(tokenizer_encode(tokenizer, prompt, strlen(prompt), &texts->tokens, error));
    if (status != MNEME_OK) return status;
    return add_sequence(texts, first, texts->tokens.n - first, error);
}

mneme_status token_texts_add_question(struct token_texts *texts, struct tokenizer *tokenizer,
                                      const char *question, mneme_error *error) {
    size_t first = texts->tokens.n;
    mneme_status status = append(&texts->tokens, tokenizer_start_of_text(tokenizer), error);
    THEN(tokenizer_encode_data(tokenizer, question, strlen(question), &texts->tokens, error));
    if (status != MNEME_OK) return status;
    return add_sequence(texts, first, texts->tokens.n - first, error);
}

void token_texts_free(struct token_texts *texts) {
    free(texts->starts);
    free(texts->lengths);
    token_list_free(&texts->tokens);
    *texts = (struct token_texts){0};
}

size_t token_texts_longest(const struct token_texts *texts) {
    size_t longest = 0;
    for (size_t i = 0; i < texts->n; i++) {
        if (texts->lengths[i] > longest) longest = texts->lengths[i];
    }
    return longest;
}
