#include "corpus/text_sample.h"

#include "corpus/text_files.h"
#include "corpus/text_reader.h"

/* The longest beginning of at most `most` bytes that does not end within a character. */
static size_t cut(const struct text_document *document, size_t most) {
    if (document->length <= most) return document->length;
    while (most > 0 && ((unsigned char)document->bytes[most] & 0xc0) == 0x80) most--;
    return most;
}

static mneme_status read_documents(struct text_reader *reader, size_t *room,
                                   struct text_list *texts, mneme_error *error) {
    while (*room > 0) {
        struct text_document document;
        TRY(text_reader_next(reader, &document, error));
        if (document.bytes == NULL) break;
        TRY(text_list_add_copy(texts, document.bytes, cut(&document, *room), error));
        *room = document.length < *room ? *room - document.length : 0;
    }
    return MNEME_OK;
}

mneme_status text_sample_load(const char *const *sources, size_t n_sources, size_t max_bytes,
                              struct text_list *texts, mneme_error *error) {
    struct text_files files;
    size_t room = max_bytes;
    TRY(text_files_find(sources, n_sources, &files, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < files.n && room > 0 && status == MNEME_OK; i++) {
        struct text_reader reader;
        status = text_reader_open(&reader, files.paths[i], error);
        THEN(read_documents(&reader, &room, texts, error));
        text_reader_close(&reader);
    }
    text_files_free(&files);
    return status;
}
