/* A tokenizer.json's post_processor: the tokens that stand before and after a text. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_parts.h"

/* Processors within processors. */
#define MAX_DEPTH 4

static mneme_status refuse(const struct tokenizer_file *file) {
    return tokenizer_refuse(file,
                            "post_processor: expected TemplateProcessing, BertProcessing, "
                            "RobertaProcessing or ByteLevel, or a Sequence of these");
}

static mneme_status append_id(const struct tokenizer_file *file, const json_t *id,
                              struct token_list *list) {
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    if (value < 0 || (uint64_t)value >= TOKENIZER_MAX_TOKENS) return refuse(file);
    const int32_t token = (int32_t)value;
    return token_list_append(list, &token, 1, file->error);
}

/* A special token of a template; its ids are in the template's list. */
static mneme_status append_special(const struct tokenizer_file *file, const json_t *template,
                                   const json_t *piece, struct token_list *list) {
    const char *name = json_string_value(json_object_get(piece, "id"));
    const json_t *special =
        name == NULL ? NULL : json_object_get(json_object_get(template, "special_tokens"), name);
    const json_t *ids = json_object_get(special, "ids");
    if (json_array_size(ids) == 0) return refuse(file);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        TRY(append_id(file, json_array_get(ids, i), list));
    }
    return MNEME_OK;
}

/* `single`: pieces, of which one is the text, "A". */
static mneme_status read_template(const struct tokenizer_file *file, const json_t *template,
                                  struct token_frame *frame) {
    const json_t *pieces = json_object_get(template, "single");
    size_t texts = 0;
    for (size_t i = 0; i < json_array_size(pieces); i++) {
        const json_t *piece = json_array_get(pieces, i);
        const json_t *special = json_object_get(piece, "SpecialToken");
        const char *text =
            json_string_value(json_object_get(json_object_get(piece, "Sequence"), "id"));
        if (special != NULL) {
            TRY(append_special(file, template, special,
                               texts == 0 ? &frame->before : &frame->after));
        } else {
            if (text == NULL || strcmp(text, "A") != 0) return refuse(file);
            texts++;
        }
    }
    return texts == 1 ? MNEME_OK : refuse(file);
}

/* BERT's and RoBERTa's have one token before, one after. */
static mneme_status read_pair(const struct tokenizer_file *file, const json_t *part,
                              struct token_frame *frame) {
    TRY(append_id(file, json_array_get(json_object_get(part, "cls"), 1), &frame->before));
    return append_id(file, json_array_get(json_object_get(part, "sep"), 1), &frame->after);
}

static mneme_status read_processor(const struct tokenizer_file *file, const json_t *part,
                                   size_t depth, struct token_frame *frame);

/* Puts the tokens of `outer` around those of *frame. */
static mneme_status wrap(const struct tokenizer_file *file, struct token_frame *outer,
                         struct token_frame *frame) {
    TRY(token_list_append(&outer->before, frame->before.ids, frame->before.n, file->error));
    struct token_list inner = frame->before;
    frame->before = outer->before;
    outer->before = inner;
    return token_list_append(&frame->after, outer->after.ids, outer->after.n, file->error);
}

static mneme_status read_sequence(const struct tokenizer_file *file, const json_t *sequence,
                                  size_t depth, struct token_frame *frame) {
    const json_t *parts = json_object_get(sequence, "processors");
    if (!json_is_array(parts)) return refuse(file);
    mneme_status status = MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < json_array_size(parts); i++) {
        struct token_frame outer = {0};
        status = read_processor(file, json_array_get(parts, i), depth + 1, &outer);
        THEN(wrap(file, &outer, frame));
        token_frame_free(&outer);
    }
    return status;
}

static mneme_status read_processor(const struct tokenizer_file *file, const json_t *part,
                                   size_t depth, struct token_frame *frame) {
    const char *type = json_string_value(json_object_get(part, "type"));
    if (type == NULL || depth > MAX_DEPTH) return refuse(file);
    if (strcmp(type, "ByteLevel") == 0) return MNEME_OK;
    if (strcmp(type, "Sequence") == 0) return read_sequence(file, part, depth, frame);
    if (strcmp(type, "TemplateProcessing") == 0) return read_template(file, part, frame);
    bool pair = strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0;
    return pair ? read_pair(file, part, frame) : refuse(file);
}

mneme_status tokenizer_read_frame(const struct tokenizer_file *file, const json_t *processor,
                                  struct token_frame *frame) {
    if (processor == NULL || json_is_null(processor)) return MNEME_OK;
    return read_processor(file, processor, 0, frame);
}
