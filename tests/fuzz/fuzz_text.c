/* Text files of every layout; the bytes as a file of packed text, too. */

#include "corpus/packed_text.h"
#include "corpus/text_reader.h"
#include "tests/fuzz/input.h"
#include "text/utf8.h"

/* A document is text with something in it. */
static void check_document(const struct text_document *document) {
    if (document->length == 0 || memchr(document->bytes, '\0', document->length) != NULL ||
        utf8_valid_length(document->bytes, document->length) != document->length) {
        abort();
    }
}

static mneme_status read_documents(const char *path, mneme_error *error) {
    struct text_reader reader;
    struct text_document document;
    TRY(text_reader_open(&reader, path, error));
    mneme_status status;
    while ((status = text_reader_next(&reader, &document, error)) == MNEME_OK &&
           document.bytes != NULL) {
        check_document(&document);
        if (text_reader_done(&reader) > reader.file.length) abort();
    }
    if (status == MNEME_OK && text_reader_done(&reader) != reader.file.length) abort();
    text_reader_close(&reader);
    return status;
}

/* Every token lies in one sequence, and documents lie apart. */
static void check_packed(const struct packed_text *text) {
    size_t n, inputs = 0, at = 0, before = 0;
    for (size_t i = 0; i < packed_text_count(text); i++) {
        packed_text_sequence(text, i, &n);
        inputs += n;
    }
    if (inputs + 1 != text->n_tokens) abort();
    while (packed_text_document(text, &at, &n)) {
        if (at <= before || n > text->n_tokens - at) abort();
        before = at;
        at += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static const struct packed_text_origin origin = {"\"texts\"", "tokenizer"};
    char path[64];
    mneme_error error = {0};
    struct packed_text text;
    int descriptor = input_open(bytes, length, path);
    mneme_status status = read_documents(path, &error);
    input_check(status, &error);
    status = packed_text_open(&text, path, &origin, 300, 3, &error);
    input_check(status, &error);
    if (status == MNEME_OK) check_packed(&text);
    packed_text_close(&text);
    close(descriptor);
    return 0;
}
