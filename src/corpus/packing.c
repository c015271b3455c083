/* Texts to a file of packed tokens. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "corpus/packed_text.h"
#include "corpus/packed_text_keys.h"
#include "corpus/text_files.h"
#include "corpus/text_reader.h"
#include "tensor/safetensors_stream.h"
#include "tokenizer/encode_many.h"

/* Documents are encoded together when they have this many bytes. */
#define BATCH_BYTES ((size_t)4 << 20)

struct packing {
    struct tokenizer *tokenizer;
    struct safetensors_stream *stream;
    const struct packing_progress *progress;
    char *bytes; /* [n_bytes] of the documents that wait */
    size_t n_bytes, bytes_capacity;
    struct encode_text *texts; /* [n_texts]; their bytes are set when they are encoded */
    size_t n_texts, texts_capacity;
    size_t *ends; /* [ends_capacity] */
    size_t ends_capacity;
    struct token_list ids;
    size_t n_documents, n_empty;
    size_t done_bytes, total_bytes; /* of all files */
};

static void close_packing(struct packing *p) {
    free(p->bytes);
    free(p->texts);
    free(p->ends);
    token_list_free(&p->ids);
}

static mneme_status write_token(const struct packing *p, int32_t token, mneme_error *error) {
    return token == TOKEN_NONE ? MNEME_OK : safetensors_stream_add(p->stream, &token, 1, error);
}

/* The start, where it is not the end of the text before; a document; the end. */
static mneme_status write_document(const struct packing *p, size_t first, size_t end,
                                   mneme_error *error) {
    const int32_t start_token = tokenizer_start_of_text(p->tokenizer);
    const int32_t end_token = tokenizer_end_of_text(p->tokenizer);
    const bool is_first = p->stream->tensor.shape[0] == 0;
    if (is_first || start_token != end_token) TRY(write_token(p, start_token, error));
    TRY(safetensors_stream_add(p->stream, p->ids.ids + first, end - first, error));
    return write_token(p, end_token, error);
}

/* Encodes n documents and writes them. */
static mneme_status encode(struct packing *p, size_t n, const struct encode_text *texts,
                           mneme_error *error) {
    TRY(memory_grow((void **)&p->ends, &p->ends_capacity, n + 1, sizeof *p->ends, "documents",
                    error));
    p->ids.n = 0;
    TRY(tokenizer_encode_many(p->tokenizer, n, texts, &p->ids, p->ends, error));
    for (size_t i = 0; i < n; i++) {
        TRY(write_document(p, i == 0 ? 0 : p->ends[i - 1], p->ends[i], error));
    }
    p->n_documents += n;
    return MNEME_OK;
}

/* Those that wait. */
static mneme_status encode_waiting(struct packing *p, mneme_error *error) {
    const char *bytes = p->bytes;
    if (p->n_texts == 0) return MNEME_OK;
    for (size_t i = 0; i < p->n_texts; i++) {
        p->texts[i].bytes = bytes;
        bytes += p->texts[i].length;
    }
    TRY(encode(p, p->n_texts, p->texts, error));
    p->n_texts = p->n_bytes = 0;
    return MNEME_OK;
}

static mneme_status keep(struct packing *p, const struct text_document *document,
                         mneme_error *error) {
    TRY(memory_grow((void **)&p->bytes, &p->bytes_capacity, p->n_bytes + document->length, 1,
                    "documents", error));
    TRY(memory_grow((void **)&p->texts, &p->texts_capacity, p->n_texts + 1, sizeof *p->texts,
                    "documents", error));
    memcpy(p->bytes + p->n_bytes, document->bytes, document->length);
    p->texts[p->n_texts++] = (struct encode_text){NULL, document->length};
    p->n_bytes += document->length;
    return MNEME_OK;
}

/* A long document is not copied. */
static mneme_status add_document(struct packing *p, const struct text_document *document,
                                 mneme_error *error) {
    if (p->n_bytes + document->length > BATCH_BYTES) TRY(encode_waiting(p, error));
    if (document->length <= BATCH_BYTES) return keep(p, document, error);
    const struct encode_text text = {document->bytes, document->length};
    return encode(p, 1, &text, error);
}

static void tell(const struct packing *p, size_t bytes) {
    if (p->progress == NULL || p->progress->call == NULL) return;
    p->progress->call(p->progress->context, bytes, p->total_bytes, p->stream->tensor.shape[0]);
}

static mneme_status read_documents(struct packing *p, struct text_reader *reader,
                                   mneme_error *error) {
    struct text_document document;
    for (;;) {
        TRY(text_reader_next(reader, &document, error));
        if (document.bytes == NULL) return MNEME_OK;
        TRY(add_document(p, &document, error));
        tell(p, p->done_bytes + text_reader_done(reader));
    }
}

static mneme_status read_file(struct packing *p, const char *path, mneme_error *error) {
    struct text_reader reader;
    TRY(text_reader_open(&reader, path, error));
    mneme_status status = read_documents(p, &reader, error);
    p->n_empty += reader.n_empty;
    p->done_bytes += reader.file.length;
    text_reader_close(&reader);
    return status;
}

static mneme_status read_files(struct packing *p, const struct text_files *files,
                               mneme_error *error) {
    for (size_t i = 0; i < files->n; i++) {
        struct stat facts;
        if (stat(files->paths[i], &facts) == 0) p->total_bytes += (size_t)facts.st_size;
    }
    for (size_t i = 0; i < files->n; i++) TRY(read_file(p, files->paths[i], error));
    TRY(encode_waiting(p, error));
    tell(p, p->total_bytes);
    if (p->n_documents > 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: no document has any text", files->paths[0]);
}

static mneme_status finish(const struct packing *p, size_t n_passed_over,
                           const struct packed_text_origin *origin, mneme_error *error) {
    char documents[24], empty[24], passed_over[24];
    snprintf(documents, sizeof documents, "%zu", p->n_documents);
    snprintf(empty, sizeof empty, "%zu", p->n_empty);
    snprintf(passed_over, sizeof passed_over, "%zu", n_passed_over);
    const struct safetensors_metadata metadata[] = {{PACKED_DOCUMENTS, documents},
                                                    {PACKED_EMPTY, empty},
                                                    {PACKED_PASSED_OVER, passed_over},
                                                    {PACKED_SOURCES, origin->sources},
                                                    {PACKED_TOKENIZER, origin->tokenizer}};
    return safetensors_stream_finish(p->stream, metadata, 5, error);
}

/* A document whose end has no token would run into the next. */
static mneme_status check_end(const struct tokenizer *tokenizer, mneme_error *error) {
    if (tokenizer_end_of_text(tokenizer) != TOKEN_NONE) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: added_tokens: no token that ends a text, such as \"" TOKENIZER_END_OF_TEXT
                     "\" or \"<|endoftext|>\", which training on texts needs",
                     tokenizer_place(tokenizer));
}

mneme_status packed_text_make(const char *path, const char *const *sources, size_t n_sources,
                              struct tokenizer *tokenizer, const struct packed_text_origin *origin,
                              const struct packing_progress *progress, mneme_error *error) {
    struct text_files files = {0};
    struct safetensors_stream stream = {0};
    struct packing packing = {.tokenizer = tokenizer, .stream = &stream, .progress = progress};
    mneme_status status = check_end(tokenizer, error);
    THEN(text_files_find(sources, n_sources, &files, error));
    THEN(safetensors_stream_open(&stream, path, PACKED_TOKENS, TENSOR_I32, error));
    THEN(read_files(&packing, &files, error));
    THEN(finish(&packing, files.n_passed_over, origin, error));
    safetensors_stream_abandon(&stream);
    text_files_free(&files);
    close_packing(&packing);
    return status;
}
