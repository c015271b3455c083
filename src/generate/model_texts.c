#include "generate/model_texts.h"

#include "generate/answer_ends.h"

static mneme_status find_before(struct model_texts *texts, const struct tokenizer *tokenizer,
                                mneme_error *error) {
    const struct token_list *frame = &tokenizer_frame(tokenizer)->before;
    if (texts->ends.are_given) {
        return token_list_append(&texts->before, frame->ids, frame->n, error);
    }
    const int32_t *start = &texts->ends.start;
    return token_list_append(&texts->before, start, *start != TOKEN_NONE, error);
}

static int32_t find_end(const struct text_ends *ends, const struct tokenizer *tokenizer) {
    int32_t end = tokenizer_end_of_text(tokenizer);
    return end == TOKEN_NONE && ends->n_stops > 0 ? ends->stops[0] : end;
}

mneme_status model_texts_open(struct model_texts *texts, struct tokenizer *tokenizer,
                              const char *folder, mneme_error *error) {
    *texts = (struct model_texts){0};
    mneme_status status = MNEME_OK;
    if (folder != NULL) {
        status = text_ends_read(folder, &texts->ends, error);
        THEN(chat_style_of_folder(tokenizer, folder, &texts->style, error));
    }
    if (!texts->ends.are_given) text_ends_of_tokenizer(tokenizer, &texts->ends);
    texts->end = find_end(&texts->ends, tokenizer);
    THEN(find_before(texts, tokenizer, error));
    if (status != MNEME_OK) model_texts_close(texts);
    return status;
}

void model_texts_close(struct model_texts *texts) {
    token_list_free(&texts->before);
    *texts = (struct model_texts){0};
}

struct text_manner model_texts_manner(const struct model_texts *texts, size_t max_inputs) {
    return (struct text_manner){.before = texts->before.ids,
                                .n_before = texts->before.n,
                                .end = texts->end,
                                .style = texts->style,
                                .max_inputs = max_inputs};
}

mneme_status model_texts_answer_ends(const struct model_texts *texts, struct tokenizer *tokenizer,
                                     struct token_list *stops, mneme_error *error) {
    TRY(token_list_append(stops, texts->ends.stops, texts->ends.n_stops, error));
    return answer_ends(tokenizer, texts->style, stops, error);
}
