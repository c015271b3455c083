#include "exam/subject.h"

#include <string.h>

#include "text/form.h"

/* The token before a text: that of the folder's files, else the tokenizer's own. */
static int32_t find_prefix(const struct subject *subject) {
    const struct text_ends *ends = &subject->ends;
    if (ends->start != TOKEN_NONE) return ends->start;
    int32_t start = tokenizer_start_of_text(subject->tokenizer);
    if (start == TOKEN_NONE && ends->n_stops > 0) start = ends->stops[0];
    return start;
}

static mneme_status find_before(struct subject *subject, mneme_error *error) {
    const struct text_ends *ends = &subject->ends;
    const struct token_list *frame = &tokenizer_frame(subject->tokenizer)->before;
    if (ends->are_given) return token_list_append(&subject->before, frame->ids, frame->n, error);
    return token_list_append(&subject->before, &ends->start, ends->start != TOKEN_NONE, error);
}

static mneme_status check_id(const struct subject *subject, int32_t id, mneme_error *error) {
    size_t n = subject->model->config.vocab_size;
    if (id == TOKEN_NONE || (size_t)id < n) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: token %d stands before texts, but the model has "
                     "ids 0 to %zu",
                     tokenizer_place(subject->tokenizer), (int)id, n - 1);
}

/* What stands before its texts. */
static mneme_status open_before(struct subject *subject, mneme_error *error) {
    subject->prefix = find_prefix(subject);
    mneme_status status = find_before(subject, error);
    THEN(check_id(subject, subject->prefix, error));
    for (size_t i = 0; i < subject->before.n; i++) {
        THEN(check_id(subject, subject->before.ids[i], error));
    }
    if (status != MNEME_OK) subject_close(subject);
    return status;
}

mneme_status subject_open(struct subject *subject, const struct language_model *language,
                          const char *folder, mneme_error *error) {
    *subject = (struct subject){
        .model = &language->model, .tokenizer = language->tokenizer, .ends = language->ends};
    if (language->tokenizer == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: has no tokenizer.json", folder);
    }
    TRY(chat_style_of_folder(language->tokenizer, folder, &subject->style, error));
    return open_before(subject, error);
}

mneme_status subject_open_parts(struct subject *subject, const struct model *model,
                                struct tokenizer *tokenizer, const struct model_texts *texts,
                                mneme_error *error) {
    *subject = (struct subject){
        .model = model, .tokenizer = tokenizer, .ends = texts->ends, .style = texts->style};
    return open_before(subject, error);
}

void subject_close(struct subject *subject) {
    token_list_free(&subject->before);
    *subject = (struct subject){0};
}

/* Added tokens may lie beyond what the model has. */
static mneme_status check_ids(const struct subject *subject, const int32_t *ids, size_t n,
                              mneme_error *error) {
    size_t most = subject->model->config.vocab_size;
    for (size_t i = 0; i < n; i++) {
        if ((size_t)ids[i] < most) continue;
        return error_set(error, MNEME_BAD_INPUT, "%s: a text has token %d, the model has %zu",
                         tokenizer_place(subject->tokenizer), (int)ids[i], most);
    }
    return MNEME_OK;
}

mneme_status subject_encode(const struct subject *subject, const char *text, struct token_list *ids,
                            mneme_error *error) {
    struct tokenizer *tokenizer = subject->tokenizer;
    size_t before = ids->n;
    if (subject->special_tokens && !form_is_chat(text)) {
        TRY(tokenizer_encode(tokenizer, text, strlen(text), ids, error));
    } else {
        TRY(chat_style_encode(subject->style, tokenizer, text, false, ids, error));
    }
    return check_ids(subject, ids->ids + before, ids->n - before, error);
}
