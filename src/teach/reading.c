#include "teach/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "corpus/text_files.h"
#include "corpus/text_reader.h"

#define HELD_OUT_TOKENS 2048
#define FEWEST_TOKENS 1024

/* What is read in the making. */
struct gathering {
    struct reading *reading;
    struct tokenizer *tokenizer;
    size_t length, n_tokens;
    size_t held_out, read; /* tokens so far */
    mneme_error *error;
};

static size_t tokens_from(const struct token_texts *texts, size_t first) {
    size_t n = 0;
    for (size_t i = first; i < texts->n; i++) n += texts->lengths[i];
    return n;
}

/* A document goes to the held-out slice until that is full. */
static mneme_status gather(struct gathering *g, const struct text_document *document) {
    const bool holds_out = g->held_out < HELD_OUT_TOKENS;
    struct token_texts *texts = holds_out ? &g->reading->held_out : &g->reading->texts;
    const size_t first = texts->n;
    /* A token has a byte at least; what is much longer than what is wanted is not read. */
    const size_t most = 8 * (g->n_tokens + HELD_OUT_TOKENS);
    size_t length = document->length < most ? document->length : most;
    while (length < document->length && length > 0 && document->bytes[length] != ' ') length--;
    char *text = strndup(document->bytes, length);
    if (text == NULL) return error_set_memory(g->error, "text");
    mneme_status status = token_texts_add(texts, g->tokenizer, 1, &text, g->length, g->error);
    free(text);
    *(holds_out ? &g->held_out : &g->read) += tokens_from(texts, first);
    return status;
}

static mneme_status read_file(struct gathering *g, const char *path) {
    struct text_reader reader = {0};
    struct text_document document;
    mneme_status status = text_reader_open(&reader, path, g->error);
    while (status == MNEME_OK && g->read < g->n_tokens) {
        status = text_reader_next(&reader, &document, g->error);
        if (status == MNEME_OK && document.bytes == NULL) break;
        THEN(gather(g, &document));
    }
    text_reader_close(&reader);
    return status;
}

/* The text that comes with mneme: a JSON object a line, with its `text`. */
static const char built_in[] =
#include "built_in_text.inc"
    ;

static mneme_status read_line(struct gathering *g, const char *line, size_t length) {
    json_error_t cause;
    json_t *record = json_parse(line, length, 0, &cause);
    const json_t *text = json_object_get(record, "text");
    const struct text_document document = {json_string_value(text), json_string_length(text)};
    mneme_status status = document.bytes == NULL ? error_set_memory(g->error, "the built-in text")
                                                 : gather(g, &document);
    json_decref(record);
    return status;
}

static mneme_status read_built_in(struct gathering *g) {
    for (const char *line = built_in; *line != '\0' && g->read < g->n_tokens;) {
        size_t length = strcspn(line, "\n");
        TRY(read_line(g, line, length));
        line += length + (line[length] == '\n');
    }
    return MNEME_OK;
}

static mneme_status read_files(struct gathering *g, const char *const *sources, size_t n_sources) {
    struct text_files files = {0};
    mneme_status status = text_files_find(sources, n_sources, &files, g->error);
    for (size_t i = 0; i < files.n && status == MNEME_OK && g->read < g->n_tokens; i++) {
        status = read_file(g, files.paths[i]);
    }
    text_files_free(&files);
    return status;
}

/* One document was all: its last half is the text, the first is held out. */
static mneme_status share_out(struct reading *reading, mneme_error *error) {
    struct token_texts *from = &reading->held_out, *to = &reading->texts;
    if (to->n > 0) return MNEME_OK;
    struct token_texts all = *from;
    size_t held_out = 0, n = 0;
    while (n < all.n / 2 && held_out < HELD_OUT_TOKENS) held_out += all.lengths[n++];
    /* Both share the tokens' text by copies of their lists. */
    for (size_t i = n; i < all.n; i++) {
        const int32_t *ids = all.tokens.ids + all.starts[i];
        TRY(token_texts_add_ids(to, ids, all.lengths[i] + 1, error));
    }
    from->n = n;
    return MNEME_OK;
}

mneme_status reading_open(struct reading *reading, struct tokenizer *tokenizer,
                          const char *const *sources, size_t n_sources, size_t max_seq_len,
                          size_t n_tokens, mneme_error *error) {
    struct gathering g = {.reading = reading,
                          .tokenizer = tokenizer,
                          .length = max_seq_len < READING_LENGTH ? max_seq_len : READING_LENGTH,
                          .n_tokens = n_tokens,
                          .error = error};
    *reading = (struct reading){0};
    mneme_status status = n_sources == 0 ? read_built_in(&g) : read_files(&g, sources, n_sources);
    THEN(share_out(reading, error));
    if (status == MNEME_OK && g.held_out + g.read < FEWEST_TOKENS) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s: has %zu tokens of text, too few for keys and a background",
                           n_sources == 0 ? "the built-in text" : sources[0], g.held_out + g.read);
    }
    if (status != MNEME_OK) reading_close(reading);
    return status;
}

void reading_close(struct reading *reading) {
    token_texts_free(&reading->texts);
    token_texts_free(&reading->held_out);
    *reading = (struct reading){0};
}
