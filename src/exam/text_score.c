#include "exam/text_score.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "corpus/text_files.h"
#include "corpus/text_reader.h"
#include "eval/rolling_windows.h"
#include "exam/text_windows.h"
#include "simd/math.h"
#include "text/unicode.h"
#include "text/utf8.h"

#define LOG_2 0.69314718055994531

/* Adds a file's documents, until there are `most`. */
static mneme_status add_documents(struct read_text *text, const char *path, size_t most,
                                  mneme_error *error) {
    struct text_reader reader;
    struct text_document document = {0};
    mneme_status status = text_reader_open(&reader, path, error);
    while (status == MNEME_OK && text->documents.n < most) {
        status = text_reader_next(&reader, &document, error);
        if (status != MNEME_OK || document.bytes == NULL) break;
        status = text_list_add_copy(&text->documents, document.bytes, document.length, error);
    }
    text_reader_close(&reader);
    return status;
}

mneme_status read_text_load(struct read_text *text, const char *source, size_t limit,
                            mneme_error *error) {
    struct text_files files = {0};
    *text = (struct read_text){.file = source};
    mneme_status status = text_files_find(&source, 1, &files, error);
    for (size_t i = 0; status == MNEME_OK && i < files.n; i++) {
        status = add_documents(text, files.paths[i], limit == 0 ? SIZE_MAX : limit, error);
    }
    if (status == MNEME_OK && text->documents.n == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: holds no text", source);
    }
    text_files_free(&files);
    if (status != MNEME_OK) read_text_free(text);
    return status;
}

void read_text_free(struct read_text *text) {
    text_list_free(&text->documents);
    *text = (struct read_text){0};
}

/* len(re.split(r"\s+", text)) of Python: runs of white space, and one more. */
static size_t count_words(const char *text) {
    size_t n = 1, length = strlen(text);
    bool was_space = false;
    for (size_t at = 0; at < length;) {
        uint32_t character;
        at += utf8_decode_any(text + at, length - at, &character);
        bool is_space = unicode_is_space(character);
        n += is_space && !was_space;
        was_space = is_space;
    }
    return n;
}

/* A document as windows, of one kind or the other. */
struct document {
    struct token_list tokens;
    struct rolling_windows rolling;
    struct text_windows strided;
    size_t n;
    const struct scored_span *spans; /* [n] */
    const double *weights;           /* [n]; NULL: a window counts as its tokens do */
};

static void free_document(struct document *document) {
    token_list_free(&document->tokens);
    rolling_windows_close(&document->rolling);
    text_windows_close(&document->strided);
}

static mneme_status cut_document(const struct subject *subject, const char *text, size_t window,
                                 size_t stride, struct document *d, mneme_error *error) {
    TRY(subject_encode(subject, text, &d->tokens, error));
    if (stride == 0 && subject->prefix == TOKEN_NONE) {
        return error_set(error, MNEME_BAD_INPUT,
                         "the model has no token that stands before a text: give a stride");
    }
    if (stride == 0) {
        TRY(rolling_windows_open(&d->rolling, subject->prefix, d->tokens.ids, d->tokens.n, window,
                                 window, error));
        d->n = d->rolling.n;
        d->spans = d->rolling.spans;
        return MNEME_OK;
    }
    TRY(text_windows_open(&d->strided, d->tokens.ids, d->tokens.n, window, stride, error));
    d->n = d->strided.n;
    d->spans = d->strided.spans;
    d->weights = d->strided.weights;
    return MNEME_OK;
}

/* What windows add up to. */
struct sums {
    double nll;
    double weighted, weights; /* of the windows' means */
};

static mneme_status read_document(struct span_reader *reader, const struct document *d,
                                  struct eval_progress *progress, struct sums *sums,
                                  mneme_eval_text *result, mneme_error *error) {
    double *nll = memory_allocate(d->n, sizeof *nll);
    if (nll == NULL) return error_set_memory(error, "a text's scores");
    mneme_status status = eval_progress_read(progress, reader, d->n, d->spans, nll, error);
    for (size_t i = 0; status == MNEME_OK && i < d->n; i++) {
        double n_scored = (double)d->spans[i].n_scored;
        double weight = d->weights == NULL ? n_scored : d->weights[i];
        sums->nll += nll[i];
        sums->weighted += nll[i] / n_scored * weight;
        sums->weights += weight;
        result->n_tokens += d->spans[i].n_scored;
    }
    result->n_windows += d->n;
    free(nll);
    return status;
}

/* The measures of what was read. */
static void conclude(const struct sums *sums, mneme_eval_text *result) {
    double bytes = (double)result->n_bytes;
    bool has_weights = sums->weights > 0.0; /* windows of one new token each have none */
    result->nll =
        has_weights ? sums->weighted / sums->weights : sums->nll / (double)result->n_tokens;
    result->perplexity = math_exp_double(result->nll);
    result->word_perplexity = math_exp_double(sums->nll / (double)result->n_words);
    result->byte_perplexity = math_exp_double(sums->nll / bytes);
    result->bits_per_byte = sums->nll / bytes / LOG_2;
}

static mneme_status read_documents(const struct subject *subject, const struct read_text *text,
                                   const struct document *documents, size_t window,
                                   struct eval_progress *progress, mneme_eval_text *result,
                                   mneme_error *error) {
    struct span_reader reader = {0};
    struct sums sums = {0};
    size_t n_windows = 0;
    for (size_t i = 0; i < text->documents.n; i++) n_windows += documents[i].n;
    if (n_windows == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: has no token to predict", text->file);
    }
    eval_progress_begin(progress, "text", text->file, "windows", n_windows);
    mneme_status status = span_reader_open(&reader, subject->model, window + 1, error);
    for (size_t i = 0; i < text->documents.n; i++) {
        THEN(read_document(&reader, &documents[i], progress, &sums, result, error));
    }
    if (status == MNEME_OK) conclude(&sums, result);
    span_reader_close(&reader);
    return status;
}

mneme_status read_text_score(const struct subject *subject, const struct read_text *text,
                             size_t window, size_t stride, struct eval_progress *progress,
                             mneme_eval_text *result, mneme_error *error) {
    size_t n = text->documents.n;
    struct document *documents = memory_allocate(n, sizeof *documents);
    if (documents == NULL) return error_set_memory(error, "a text's windows");
    *result = (mneme_eval_text){.file = text->file, .n_documents = n};
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n; i++) {
        const char *document = text->documents.texts[i];
        result->n_bytes += strlen(document);
        result->n_words += count_words(document);
        THEN(cut_document(subject, document, window, stride, &documents[i], error));
    }
    THEN(read_documents(subject, text, documents, window, progress, result, error));
    for (size_t i = 0; i < n; i++) free_document(&documents[i]);
    free(documents);
    return status;
}
