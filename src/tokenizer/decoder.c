#include "tokenizer/decoder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "splitter/byte_alphabet.h"
#include "splitter/metaspace.h"
#include "splitter/normalizer.h"
#include "text/unicode.h"
#include "text/utf8.h"

/* Sequences within Sequences. */
#define MAX_DEPTH 8

struct step;

/* Appends to *to what becomes of the texts. */
typedef mneme_status step_run(const struct step *step, const struct decoder_texts *from,
                              struct decoder_texts *to, mneme_error *error);

struct step {
    step_run *run;
    bool repairs;               /* ByteLevel, before other steps: the text becomes UTF-8 */
    char *text;                 /* Metaspace's and Strip's character, a suffix or a prefix */
    bool keeps_first;           /* Metaspace: the first token keeps its blanks */
    size_t start, stop;         /* Strip: how many characters at the ends */
    bool cleans_up;             /* WordPiece */
    struct normalizer *replace; /* of Replace */
};

struct decoder {
    struct step *steps; /* [n] */
    size_t n, capacity;
};

static mneme_status append(struct decoder_texts *texts, const char *bytes, size_t length,
                           mneme_error *error) {
    TRY(memory_grow((void **)&texts->bytes, &texts->byte_capacity, texts->length + length + 1, 1,
                    "a decoded text", error));
    if (length > 0) memcpy(texts->bytes + texts->length, bytes, length);
    texts->length += length;
    return MNEME_OK;
}

/* Ends the text that was appended. */
static mneme_status finish(struct decoder_texts *texts, mneme_error *error) {
    TRY(memory_grow((void **)&texts->ends, &texts->end_capacity, texts->n + 1, sizeof *texts->ends,
                    "a decoded text", error));
    texts->ends[texts->n++] = texts->length;
    return MNEME_OK;
}

mneme_status decoder_texts_add(struct decoder_texts *texts, const char *bytes, size_t length,
                               mneme_error *error) {
    TRY(append(texts, bytes, length, error));
    return finish(texts, error);
}

void decoder_texts_free(struct decoder_texts *texts) {
    free(texts->bytes);
    free(texts->ends);
    *texts = (struct decoder_texts){0};
}

/* The i-th text. */
static const char *text_at(const struct decoder_texts *texts, size_t i, size_t *length) {
    size_t start = i == 0 ? 0 : texts->ends[i - 1];
    *length = texts->ends[i] - start;
    return texts->bytes + start;
}

/* Makes UTF-8 of all that was appended. */
static mneme_status repair(struct decoder_texts *texts, mneme_error *error) {
    size_t length;
    char *repaired = unicode_repair_bytes(texts->bytes, texts->length, &length);
    if (repaired == NULL) return error_set_memory(error, "a decoded text");
    texts->length = 0;
    mneme_status status = append(texts, repaired, length, error);
    free(repaired);
    return status;
}

/* A token with a character that is no byte's stands for its own bytes. */
static mneme_status run_byte_level(const struct step *step, const struct decoder_texts *from,
                                   struct decoder_texts *to, mneme_error *error) {
    for (size_t i = 0; i < from->n; i++) {
        size_t length, n;
        const char *text = text_at(from, i, &length);
        TRY(append(to, text, length, error));
        if (byte_alphabet_read(to->bytes + to->length - length, length, &n)) {
            to->length -= length - n;
        } else {
            memcpy(to->bytes + to->length - length, text, length);
        }
    }
    if (step->repairs && to->length > 0) TRY(repair(to, error));
    return finish(to, error);
}

static mneme_status run_metaspace(const struct step *step, const struct decoder_texts *from,
                                  struct decoder_texts *to, mneme_error *error) {
    size_t width = strlen(step->text);
    for (size_t i = 0; i < from->n; i++) {
        size_t length;
        const char *text = text_at(from, i, &length);
        for (const char *found; (found = memmem(text, length, step->text, width)) != NULL;) {
            TRY(append(to, text, (size_t)(found - text), error));
            if (i > 0 || step->keeps_first) TRY(append(to, " ", 1, error));
            length -= (size_t)(found - text) + width;
            text = found + width;
        }
        TRY(decoder_texts_add(to, text, length, error));
    }
    return MNEME_OK;
}

static mneme_status run_replace(const struct step *step, const struct decoder_texts *from,
                                struct decoder_texts *to, mneme_error *error) {
    for (size_t i = 0; i < from->n; i++) {
        size_t length;
        char *replaced;
        const char *text = text_at(from, i, &length);
        TRY(normalizer_run(step->replace, text, length, &replaced, &length, error));
        mneme_status status = decoder_texts_add(to, replaced, length, error);
        free(replaced);
        TRY(status);
    }
    return MNEME_OK;
}

static int hexadecimal(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Whether the text is <0xNN>, and of which byte. */
static bool is_byte(const char *text, size_t length, char *byte) {
    if (length != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>') return false;
    int high = text[3] == '+' ? 0 : hexadecimal(text[3]), low = hexadecimal(text[4]);
    if (high < 0 || low < 0) return false;
    *byte = (char)(16 * high + low);
    return true;
}

/* Ends a run of bytes, which began at `start`: where it is no UTF-8, each byte is one U+FFFD. */
static mneme_status finish_bytes(struct decoder_texts *to, size_t start, mneme_error *error) {
    size_t n = to->length - start;
    if (n == 0) return MNEME_OK;
    if (utf8_valid_length(to->bytes + start, n) == n) return finish(to, error);
    to->length = start;
    for (size_t i = 0; i < n; i++) TRY(decoder_texts_add(to, "\xef\xbf\xbd", 3, error));
    return MNEME_OK;
}

static mneme_status run_byte_fallback(const struct step *step, const struct decoder_texts *from,
                                      struct decoder_texts *to, mneme_error *error) {
    (void)step;
    size_t start = to->length;
    for (size_t i = 0; i < from->n; i++) {
        size_t length;
        char byte;
        const char *text = text_at(from, i, &length);
        if (is_byte(text, length, &byte)) {
            TRY(append(to, &byte, 1, error));
            continue;
        }
        TRY(finish_bytes(to, start, error));
        TRY(decoder_texts_add(to, text, length, error));
        start = to->length;
    }
    return finish_bytes(to, start, error);
}

static mneme_status run_fuse(const struct step *step, const struct decoder_texts *from,
                             struct decoder_texts *to, mneme_error *error) {
    (void)step;
    return decoder_texts_add(to, from->bytes, from->length, error);
}

static mneme_status run_strip(const struct step *step, const struct decoder_texts *from,
                              struct decoder_texts *to, mneme_error *error) {
    size_t width = strlen(step->text);
    for (size_t i = 0; i < from->n; i++) {
        size_t length;
        const char *text = text_at(from, i, &length);
        for (size_t n = 0; n < step->start && length >= width; n++) {
            if (memcmp(text, step->text, width) != 0) break;
            text += width;
            length -= width;
        }
        for (size_t n = 0; n < step->stop && length >= width; n++) {
            if (memcmp(text + length - width, step->text, width) != 0) break;
            length -= width;
        }
        TRY(decoder_texts_add(to, text, length, error));
    }
    return MNEME_OK;
}

/* Replaces `old` in the last text of *to, which begins at `start`. */
static mneme_status replace_last(struct decoder_texts *to, size_t start, const char *old,
                                 const char *other, mneme_error *error) {
    size_t width = strlen(old), length = to->length - start;
    char *copy = malloc(length + 1);
    if (copy == NULL) return error_set_memory(error, "a decoded text");
    if (length > 0) memcpy(copy, to->bytes + start, length);
    to->length = start;
    const char *text = copy;
    mneme_status status = MNEME_OK;
    for (const char *found;
         status == MNEME_OK && (found = memmem(text, length, old, width)) != NULL;) {
        status = append(to, text, (size_t)(found - text), error);
        THEN(append(to, other, strlen(other), error));
        length -= (size_t)(found - text) + width;
        text = found + width;
    }
    THEN(append(to, text, length, error));
    free(copy);
    return status;
}

/* The suffix of a word's end is a blank, and at the end of the text nothing. */
static mneme_status run_suffix(const struct step *step, const struct decoder_texts *from,
                               struct decoder_texts *to, mneme_error *error) {
    for (size_t i = 0; i < from->n; i++) {
        size_t length, start = to->length;
        const char *text = text_at(from, i, &length);
        TRY(append(to, text, length, error));
        if (step->text[0] != '\0') {
            TRY(replace_last(to, start, step->text, i + 1 == from->n ? "" : " ", error));
        }
        TRY(finish(to, error));
    }
    return MNEME_OK;
}

static mneme_status clean_up(struct decoder_texts *to, size_t start, mneme_error *error) {
    static const char *const pairs[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                           {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                           {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                           {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        TRY(replace_last(to, start, pairs[i][0], pairs[i][1], error));
    }
    return MNEME_OK;
}

/* A token without the prefix begins a word. */
static mneme_status run_word_piece(const struct step *step, const struct decoder_texts *from,
                                   struct decoder_texts *to, mneme_error *error) {
    size_t width = strlen(step->text);
    for (size_t i = 0; i < from->n; i++) {
        size_t length, start = to->length;
        const char *text = text_at(from, i, &length);
        bool goes_on = i > 0 && length >= width && memcmp(text, step->text, width) == 0;
        if (i > 0 && !goes_on) TRY(append(to, " ", 1, error));
        TRY(append(to, text + (goes_on ? width : 0), length - (goes_on ? width : 0), error));
        if (step->cleans_up) TRY(clean_up(to, start, error));
        TRY(finish(to, error));
    }
    return MNEME_OK;
}

static mneme_status refuse(const char *path, const char *cause, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: decoder: %s", path, cause);
}

static mneme_status copy_text(const char *text, const char *path, struct step *step,
                              mneme_error *error) {
    if (text == NULL) return refuse(path, "a text is missing", error);
    step->text = strdup(text);
    return step->text == NULL ? error_set_memory(error, path) : MNEME_OK;
}

static mneme_status read_metaspace(const json_t *value, const char *path, struct step *step,
                                   mneme_error *error) {
    struct metaspace metaspace;
    if (!metaspace_read(value, &metaspace)) {
        return refuse(path, "Metaspace: its replacement or prepend_scheme is none", error);
    }
    step->keeps_first = metaspace.scheme == METASPACE_NEVER;
    return copy_text(metaspace.replacement, path, step, error);
}

static mneme_status read_replace(const json_t *value, const char *path, struct step *step,
                                 mneme_error *error) {
    return normalizer_open(value, path, &step->replace, error);
}

static mneme_status read_strip(const json_t *value, const char *path, struct step *step,
                               mneme_error *error) {
    const json_t *start = json_object_get(value, "start"), *stop = json_object_get(value, "stop");
    const char *content = json_string_value(json_object_get(value, "content"));
    if (json_integer_value(start) < 0 || json_integer_value(stop) < 0 || content == NULL ||
        content[0] == '\0') {
        return refuse(path, "Strip: no content, or less than none to strip", error);
    }
    step->start = (size_t)json_integer_value(start);
    step->stop = (size_t)json_integer_value(stop);
    return copy_text(content, path, step, error);
}

static mneme_status read_suffix(const json_t *value, const char *path, struct step *step,
                                mneme_error *error) {
    const json_t *suffix = json_object_get(value, "suffix");
    return copy_text(suffix == NULL ? "</w>" : json_string_value(suffix), path, step, error);
}

static mneme_status read_word_piece(const json_t *value, const char *path, struct step *step,
                                    mneme_error *error) {
    const json_t *prefix = json_object_get(value, "prefix");
    step->cleans_up = !json_is_false(json_object_get(value, "cleanup"));
    return copy_text(prefix == NULL ? "##" : json_string_value(prefix), path, step, error);
}

static const struct kind {
    const char *type;
    step_run *run;
    mneme_status (*read)(const json_t *value, const char *path, struct step *step,
                         mneme_error *error);
} kinds[] = {{"ByteLevel", run_byte_level, NULL},
             {"Metaspace", run_metaspace, read_metaspace},
             {"Replace", run_replace, read_replace},
             {"ByteFallback", run_byte_fallback, NULL},
             {"Fuse", run_fuse, NULL},
             {"Strip", run_strip, read_strip},
             {"BPEDecoder", run_suffix, read_suffix},
             {"WordPiece", run_word_piece, read_word_piece}};

/* Appends the step or, of a Sequence, steps that the value says. */
static mneme_status add(struct decoder *decoder, const json_t *value, size_t depth,
                        const char *path, mneme_error *error) {
    const char *type = json_string_value(json_object_get(value, "type"));
    const json_t *parts = json_object_get(value, "decoders");
    if (type == NULL || depth == MAX_DEPTH) return refuse(path, "no `type`", error);
    if (strcmp(type, "Sequence") == 0) {
        if (!json_is_array(parts)) return refuse(path, "Sequence: no `decoders`", error);
        for (size_t i = 0; i < json_array_size(parts); i++) {
            TRY(add(decoder, json_array_get(parts, i), depth + 1, path, error));
        }
        return MNEME_OK;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, type) != 0) continue;
        TRY(memory_grow((void **)&decoder->steps, &decoder->capacity, decoder->n + 1,
                        sizeof *decoder->steps, path, error));
        struct step *step = &decoder->steps[decoder->n++];
        *step = (struct step){.run = kinds[i].run};
        return kinds[i].read == NULL ? MNEME_OK : kinds[i].read(value, path, step, error);
    }
    return error_set(error, MNEME_BAD_INPUT, "%s: decoder: %.64s: not supported", path, type);
}

mneme_status decoder_open(const json_t *value, const char *path, struct decoder **decoder,
                          mneme_error *error) {
    *decoder = NULL;
    if (value == NULL || json_is_null(value)) return MNEME_OK;
    struct decoder *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, path);
    mneme_status status = add(opened, value, 0, path, error);
    for (size_t i = 1; i < opened->n; i++) opened->steps[i - 1].repairs = true;
    if (status != MNEME_OK) {
        decoder_close(opened);
    } else {
        *decoder = opened;
    }
    return status;
}

void decoder_close(struct decoder *decoder) {
    if (decoder == NULL) return;
    for (size_t i = 0; i < decoder->n; i++) {
        free(decoder->steps[i].text);
        normalizer_close(decoder->steps[i].replace);
    }
    free(decoder->steps);
    free(decoder);
}

/* Joins the texts with blanks. */
static mneme_status join(const struct decoder_texts *from, struct decoder_texts *to,
                         mneme_error *error) {
    for (size_t i = 0; i < from->n; i++) {
        size_t length;
        const char *text = text_at(from, i, &length);
        if (i > 0) TRY(append(to, " ", 1, error));
        TRY(append(to, text, length, error));
    }
    return finish(to, error);
}

mneme_status decoder_run(const struct decoder *decoder, struct decoder_texts *texts,
                         mneme_error *error) {
    mneme_status status = MNEME_OK;
    size_t n = decoder == NULL ? 1 : decoder->n;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        struct decoder_texts to = {0};
        status = decoder == NULL ? join(texts, &to, error)
                                 : decoder->steps[i].run(&decoder->steps[i], texts, &to, error);
        decoder_texts_free(texts);
        *texts = to;
    }
    return status;
}
