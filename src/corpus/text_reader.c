#include "corpus/text_reader.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "corpus/text_check.h"
#include "data/question_record.h"
#include "text/unicode.h"

#define BLANKS " \t\r\n"

static const char *const text_names[] = {"text", NULL};

static mneme_status refuse(const struct text_reader *reader, size_t line, const char *cause,
                           mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s:%zu: %s", reader->path, line, cause);
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && strchr(BLANKS, *at) != NULL && *at != '\0') at++;
    return at;
}

/* What the first two characters that are no blanks say. */
static enum text_layout see_layout(const char *at, const char *end) {
    at = skip_blanks(at, end);
    if (at == end) return TEXT_DOCUMENT;
    const char first = *at++;
    at = skip_blanks(at, end);
    if (at == end) return TEXT_DOCUMENT;
    if (first == '{' && (*at == '"' || *at == '}')) return TEXT_RECORDS;
    if (first == '[' && (*at == '{' || *at == '"' || *at == ']')) return TEXT_LIST;
    return TEXT_DOCUMENT;
}

/* Goes on to `to`, counting lines. */
static void advance(struct text_reader *reader, const char *to) {
    for (const char *c = reader->at; c < to && (c = memchr(c, '\n', (size_t)(to - c))) != NULL;
         c++) {
        reader->line++;
    }
    reader->at = to;
}

static void advance_over_blanks(struct text_reader *reader) {
    advance(reader, skip_blanks(reader->at, reader->end));
}

mneme_status text_reader_open(struct text_reader *reader, const char *path, mneme_error *error) {
    static const char mark[] = "\xef\xbb\xbf";
    *reader = (struct text_reader){.path = path, .line = 1};
    TRY(mapped_file_open(&reader->file, path, error));
    const char *bytes = reader->file.bytes;
    size_t length = reader->file.length;
    mneme_status status = text_check(path, bytes, length, error);
    const bool has_mark = length >= 3 && memcmp(bytes, mark, 3) == 0;
    reader->at = has_mark ? bytes + 3 : bytes;
    reader->end = bytes + length;
    reader->layout = see_layout(reader->at, reader->end);
    if (status != MNEME_OK) text_reader_close(reader);
    return status;
}

/* What the last document was made of. */
static void forget(struct text_reader *reader) {
    json_decref(reader->record);
    free(reader->unfolded);
    reader->record = NULL;
    reader->unfolded = NULL;
}

void text_reader_close(struct text_reader *reader) {
    forget(reader);
    mapped_file_close(&reader->file);
    *reader = (struct text_reader){0};
}

size_t text_reader_done(const struct text_reader *reader) {
    return (size_t)(reader->at - reader->file.bytes);
}

/* LF for CRLF, in a copy where there is any. */
static mneme_status unfold(struct text_reader *reader, struct text_document *document,
                           mneme_error *error) {
    size_t n = 0;
    if (memmem(document->bytes, document->length, "\r\n", 2) == NULL) return MNEME_OK;
    reader->unfolded = malloc(document->length);
    if (reader->unfolded == NULL) return error_set_memory(error, reader->path);
    for (size_t i = 0; i < document->length; i++) {
        bool folded = i + 1 < document->length && memcmp(document->bytes + i, "\r\n", 2) == 0;
        if (!folded) reader->unfolded[n++] = document->bytes[i];
    }
    *document = (struct text_document){reader->unfolded, n};
    return MNEME_OK;
}

static mneme_status read_whole(struct text_reader *reader, struct text_document *document,
                               mneme_error *error) {
    *document = (struct text_document){NULL, 0};
    if (reader->n_read > 0) return MNEME_OK;
    *document = (struct text_document){reader->at, (size_t)(reader->end - reader->at)};
    reader->at = reader->end;
    reader->n_read = 1;
    return unfold(reader, document, error);
}

/* The text of a record. */
static mneme_status take_text(const struct text_reader *reader, struct text_document *document,
                              mneme_error *error) {
    const json_t *text = reader->record;
    if (json_is_object(text)) text = question_member(text, text_names);
    if (text == NULL) {
        return refuse(reader, reader->line, "the record has no member `text`", error);
    }
    if (!json_is_string(text)) {
        const char *cause = json_is_object(reader->record) ? "the record's `text` is no string"
                                                           : "neither a record nor a text";
        return refuse(reader, reader->line, cause, error);
    }
    *document = (struct text_document){json_string_value(text), json_string_length(text)};
    return MNEME_OK;
}

/* Reads the JSON value that comes next. */
static mneme_status read_value(struct text_reader *reader, struct text_document *document,
                               mneme_error *error) {
    const size_t left = (size_t)(reader->end - reader->at);
    const size_t length = left < INT_MAX ? left : INT_MAX; /* jansson counts bytes as int */
    json_error_t cause;
    reader->record =
        json_parse(reader->at, length,
                   JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &cause);
    if (reader->record == NULL) {
        const size_t below = cause.line > 1 ? (size_t)cause.line - 1 : 0;
        return refuse(reader, reader->line + below, cause.text, error);
    }
    reader->n_read++;
    TRY(take_text(reader, document, error));
    advance(reader, reader->at + cause.position);
    return MNEME_OK;
}

static mneme_status read_record(struct text_reader *reader, struct text_document *document,
                                mneme_error *error) {
    *document = (struct text_document){NULL, 0};
    advance_over_blanks(reader);
    return reader->at == reader->end ? MNEME_OK : read_value(reader, document, error);
}

/* After the list nothing may come. */
static mneme_status end_list(struct text_reader *reader, mneme_error *error) {
    advance(reader, reader->at + 1);
    advance_over_blanks(reader);
    if (reader->at < reader->end) {
        return refuse(reader, reader->line, "there is more after the list", error);
    }
    reader->layout = TEXT_RECORDS; /* of which none comes */
    return MNEME_OK;
}

static mneme_status read_element(struct text_reader *reader, struct text_document *document,
                                 mneme_error *error) {
    const bool is_first = reader->n_read == 0;
    *document = (struct text_document){NULL, 0};
    advance_over_blanks(reader);
    if (is_first) advance(reader, reader->at + 1);
    advance_over_blanks(reader);
    if (reader->at == reader->end) {
        return refuse(reader, reader->line, "the list has no end", error);
    }
    if (*reader->at == ']') return end_list(reader, error);
    if (!is_first) {
        if (*reader->at != ',') return refuse(reader, reader->line, "`,` or `]` expected", error);
        advance(reader, reader->at + 1);
        advance_over_blanks(reader);
    }
    return read_value(reader, document, error);
}

static bool is_blank(const struct text_document *document) {
    const char *text = document->bytes;
    size_t length = document->length;
    unicode_trim(&text, &length);
    return length == 0;
}

mneme_status text_reader_next(struct text_reader *reader, struct text_document *document,
                              mneme_error *error) {
    static mneme_status (*const readers[])(struct text_reader *, struct text_document *,
                                           mneme_error *) = {read_whole, read_record, read_element};
    for (;;) {
        forget(reader);
        TRY(readers[reader->layout](reader, document, error));
        if (document->bytes == NULL || !is_blank(document)) return MNEME_OK;
        reader->n_empty++;
    }
}
