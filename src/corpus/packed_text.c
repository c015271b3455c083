#include "corpus/packed_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus/packed_text_keys.h"

/* A number in the metadata. */
static mneme_status read_count(const struct safetensors *file, const char *key, size_t *count,
                               mneme_error *error) {
    const char *value = safetensors_metadata_get(file, key);
    if (value == NULL || *value == '\0' || strspn(value, "0123456789") != strlen(value)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: metadata `%s` must be a number",
                         file->file.path, key);
    }
    *count = (size_t)strtoull(value, NULL, 10);
    return MNEME_OK;
}

static mneme_status check_origin(const struct safetensors *file, const char *key,
                                 const char *wanted, const char *what, mneme_error *error) {
    const char *found = safetensors_metadata_get(file, key);
    if (found != NULL && strcmp(found, wanted) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: was made from %s; remove it to make it anew",
                     file->file.path, what);
}

static mneme_status read_header(struct packed_text *text, const struct safetensors *file,
                                const struct packed_text_origin *origin, size_t *offset,
                                mneme_error *error) {
    const struct safetensors_entry *entry = safetensors_find(file, PACKED_TOKENS);
    TRY(check_origin(file, PACKED_SOURCES, origin->sources, "other text", error));
    TRY(check_origin(file, PACKED_TOKENIZER, origin->tokenizer, "text by another tokenizer",
                     error));
    TRY(read_count(file, PACKED_DOCUMENTS, &text->n_documents, error));
    TRY(read_count(file, PACKED_EMPTY, &text->n_empty, error));
    TRY(read_count(file, PACKED_PASSED_OVER, &text->n_passed_over, error));
    if (entry == NULL || entry->tensor.type != TENSOR_I32 || entry->tensor.rank != 1 ||
        entry->tensor.shape[0] < 2 || entry->offset % sizeof(int32_t) != 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: tensor `" PACKED_TOKENS "` must be two or more aligned I32",
                         file->file.path);
    }
    text->n_tokens = entry->tensor.shape[0];
    *offset = (size_t)entry->offset;
    return MNEME_OK;
}

/* The file is mapped when its header was read, and may have changed. */
static mneme_status map(struct packed_text *text, const char *path, size_t offset,
                        mneme_error *error) {
    TRY(mapped_file_open(&text->file, path, error));
    if (text->file.length < offset ||
        (text->file.length - offset) / sizeof(int32_t) < text->n_tokens) {
        return error_set(error, MNEME_BAD_INPUT, "%s: is cut short", path);
    }
    text->tokens = (const int32_t *)(const void *)(text->file.bytes + offset);
    return MNEME_OK;
}

static mneme_status check_tokens(const struct packed_text *text, const char *path,
                                 size_t vocab_size, mneme_error *error) {
    for (size_t i = 0; i < text->n_tokens; i++) {
        if (text->tokens[i] >= 0 && (size_t)text->tokens[i] < vocab_size) continue;
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: " PACKED_TOKENS "[%zu] is %d, but the vocabulary has %zu tokens",
                         path, i, (int)text->tokens[i], vocab_size);
    }
    return MNEME_OK;
}

mneme_status packed_text_open(struct packed_text *text, const char *path,
                              const struct packed_text_origin *origin, size_t vocab_size,
                              size_t sequence_length, mneme_error *error) {
    struct safetensors file = {0};
    size_t offset = 0;
    *text = (struct packed_text){.sequence_length = sequence_length};
    mneme_status status = safetensors_open(&file, path, error);
    THEN(read_header(text, &file, origin, &offset, error));
    safetensors_close(&file);
    THEN(map(text, path, offset, error));
    THEN(check_tokens(text, path, vocab_size, error));
    if (status != MNEME_OK) packed_text_close(text);
    return status;
}

void packed_text_close(struct packed_text *text) {
    mapped_file_close(&text->file);
    *text = (struct packed_text){0};
}

/* The first token is the one that starts texts, the last the one that ends them; where they are
 * one, it stands between documents once. */
bool packed_text_document(const struct packed_text *text, size_t *at, size_t *n) {
    const int32_t start = text->tokens[0], end = text->tokens[text->n_tokens - 1];
    if (start != end && *at > 0) ++*at; /* the end of the document before */
    if (++*at >= text->n_tokens) return false;
    for (*n = 0; *at + *n < text->n_tokens && text->tokens[*at + *n] != end;) ++*n;
    return true;
}

size_t packed_text_count(const struct packed_text *text) {
    if (text->n_tokens == 0) return 0;
    return (text->n_tokens - 1 + text->sequence_length - 1) / text->sequence_length;
}

const int32_t *packed_text_sequence(const struct packed_text *text, size_t i, size_t *length) {
    const size_t first = i * text->sequence_length, left = text->n_tokens - 1 - first;
    *length = left < text->sequence_length ? left : text->sequence_length;
    return text->tokens + first;
}
