#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "splitter/byte_alphabet.h"
#include "tokenizer/tokenizer_parts.h"

mneme_status tokenizer_open(const struct split_plan *plan, const char *place,
                            struct tokenizer **tokenizer, mneme_error *error) {
    struct tokenizer *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, "the tokenizer");
    mneme_status status = splitter_open(plan, place, &opened->splitter, error);
    if (status == MNEME_OK) {
        *tokenizer = opened;
    } else {
        tokenizer_free(opened);
    }
    return status;
}

void tokenizer_free(struct tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    splitter_close(tokenizer->splitter);
    decoder_close(tokenizer->decoder);
    bpe_free(&tokenizer->bpe);
    encoder_free(&tokenizer->encoder);
    for (size_t i = 0; i < tokenizer->n_more_encoders; i++) {
        encoder_free(&tokenizer->more_encoders[i]);
    }
    free(tokenizer->more_encoders);
    for (size_t i = 0; i < tokenizer->n_texts; i++) free(tokenizer->texts[i].text);
    free(tokenizer->texts);
    free(tokenizer->is_special);
    free(tokenizer->pattern);
    free(tokenizer->source);
    free(tokenizer->path);
    token_frame_free(&tokenizer->frame);
    free(tokenizer);
}

mneme_status tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t length,
                              struct token_list *list, mneme_error *error) {
    return encoder_run(&tokenizer->encoder, tokenizer, SPLIT_PROMPT, text, length, list, error);
}

mneme_status tokenizer_encode_data(struct tokenizer *tokenizer, const char *text, size_t length,
                                   struct token_list *list, mneme_error *error) {
    return encoder_run(&tokenizer->encoder, tokenizer, SPLIT_DATA, text, length, list, error);
}

char *tokenizer_token_text(const struct tokenizer *tokenizer, int32_t id) {
    const struct string_map *vocabulary = &tokenizer->bpe.vocabulary;
    size_t length;
    const char *text = string_map_get(vocabulary, (uint32_t)id, &length);
    bool is_bytes = tokenizer->bpe.by_byte && !vocabulary->entries[id].is_hidden;
    return is_bytes ? byte_alphabet_write(text, length) : strndup(text, length);
}

static int compare_ids(const void *a, const void *b) {
    const struct token_text *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* What the decoder is given for a token; the caller frees it. NULL without memory. */
static char *decoder_text(const struct tokenizer *tokenizer, int32_t id) {
    const struct token_text key = {.id = id};
    const struct token_text *other = tokenizer->n_texts == 0
                                         ? NULL
                                         : bsearch(&key, tokenizer->texts, tokenizer->n_texts,
                                                   sizeof *tokenizer->texts, compare_ids);
    return other == NULL ? tokenizer_token_text(tokenizer, id) : strdup(other->text);
}

/* Appends the texts of the tokens; an id without a token has none. */
static mneme_status list_texts(const struct tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                               enum decode_special special, struct decoder_texts *texts,
                               mneme_error *error) {
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= tokenizer->bpe.vocabulary.n) {
            return error_set(error, MNEME_BAD_INPUT, "token %zu: id %d is not in the vocabulary", i,
                             (int)ids[i]);
        }
        bool is_special = tokenizer->is_special != NULL && tokenizer->is_special[ids[i]] != 0;
        if (is_special && special == DECODE_SKIPS_SPECIAL) continue;
        char *text = decoder_text(tokenizer, ids[i]);
        if (text == NULL) return error_set_memory(error, "decoded text");
        bool has_text = text[0] != '\0';
        mneme_status status =
            has_text ? decoder_texts_add(texts, text, strlen(text), error) : MNEME_OK;
        free(text);
        TRY(status);
    }
    return MNEME_OK;
}

mneme_status tokenizer_decode_as(const struct tokenizer *tokenizer, const int32_t *ids,
                                 size_t n_ids, enum decode_special special, char **text,
                                 size_t *length, mneme_error *error) {
    struct decoder_texts texts = {0};
    *text = NULL;
    mneme_status status = list_texts(tokenizer, ids, n_ids, special, &texts, error);
    THEN(decoder_run(tokenizer->decoder, &texts, error));
    THEN(memory_grow((void **)&texts.bytes, &texts.byte_capacity, texts.length + 1, 1,
                     "decoded text", error));
    if (status == MNEME_OK) {
        texts.bytes[texts.length] = '\0';
        if (length != NULL) *length = texts.length;
        *text = texts.bytes;
        texts.bytes = NULL;
    }
    decoder_texts_free(&texts);
    return status;
}

mneme_status tokenizer_decode(const struct tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                              char **text, size_t *length, mneme_error *error) {
    return tokenizer_decode_as(tokenizer, ids, n_ids, DECODE_ALL, text, length, error);
}

/* Takes the beginning away; false where the text does not have it. */
static bool take_beginning(char *text, size_t *length, const char *beginning, size_t n) {
    if (n > *length || memcmp(text, beginning, n) != 0) return false;
    *length -= n;
    memmove(text, text + n, *length + 1);
    return true;
}

mneme_status tokenizer_decode_after(const struct tokenizer *tokenizer,
                                    const struct token_list *before, const int32_t *ids,
                                    size_t n_ids, char **text, size_t *length, mneme_error *error) {
    struct token_list whole = {0};
    char *beginning = NULL;
    size_t n_beginning = 0, n_text = 0;
    *text = NULL;
    mneme_status status = token_list_append(&whole, before->ids, before->n, error);
    THEN(token_list_append(&whole, ids, n_ids, error));
    THEN(tokenizer_decode(tokenizer, before->ids, before->n, &beginning, &n_beginning, error));
    THEN(tokenizer_decode(tokenizer, whole.ids, whole.n, text, &n_text, error));
    if (status == MNEME_OK && !take_beginning(*text, &n_text, beginning, n_beginning)) {
        free(*text);
        status = tokenizer_decode(tokenizer, ids, n_ids, text, &n_text, error);
    }
    if (status == MNEME_OK && length != NULL) *length = n_text;
    free(beginning);
    token_list_free(&whole);
    return status;
}

size_t tokenizer_vocab_size(const struct tokenizer *tokenizer) {
    return tokenizer->bpe.vocabulary.n;
}

size_t tokenizer_text_size(const struct tokenizer *tokenizer) {
    return tokenizer->source == NULL ? tokenizer->bpe.vocabulary.n : tokenizer->n_model_ids;
}

const char *tokenizer_place(const struct tokenizer *tokenizer) {
    return tokenizer->path == NULL ? "the tokenizer" : tokenizer->path;
}

const struct token_frame *tokenizer_frame(const struct tokenizer *tokenizer) {
    return &tokenizer->frame;
}

int32_t tokenizer_end_of_text(const struct tokenizer *tokenizer) {
    return tokenizer->end_of_text;
}

int32_t tokenizer_start_of_text(const struct tokenizer *tokenizer) {
    return tokenizer->start_of_text;
}
