#include "eval/subject.h"

#include <string.h>

#include "text/form.h"

/* The token before a text: that of the folder's files, else the tokenizer's own. */
static int32_t find_prefix(const struct language_model *language) {
    if (language->ends.start != TOKEN_NONE) return language->ends.start;
    int32_t start = tokenizer_start_of_text(language->tokenizer);
    if (start == TOKEN_NONE && language->ends.n_stops > 0) start = language->ends.stops[0];
    return start;
}

static mneme_status find_before(struct subject *subject, mneme_error *error) {
    const struct text_ends *ends = &subject->language->ends;
    const struct token_list *frame = &tokenizer_frame(subject->language->tokenizer)->before;
    if (ends->are_given) return token_list_append(&subject->before, frame->ids, frame->n, error);
    return token_list_append(&subject->before, &ends->start, ends->start != TOKEN_NONE, error);
}

static mneme_status check_id(const struct subject *subject, int32_t id, mneme_error *error) {
    size_t n = subject->language->model.config.vocab_size;
    if (id == TOKEN_NONE || (size_t)id < n) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: token %d stands before texts, but the model has "
                     "ids 0 to %zu",
                     tokenizer_place(subject->language->tokenizer), (int)id, n - 1);
}

mneme_status subject_open(struct subject *subject, const struct language_model *language,
                          const char *folder, mneme_error *error) {
    *subject = (struct subject){.language = language};
    if (language->tokenizer == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: has no tokenizer.json", folder);
    }
    subject->prefix = find_prefix(language);
    mneme_status status = chat_style_of_folder(language->tokenizer, folder, &subject->style, error);
    THEN(find_before(subject, error));
    THEN(check_id(subject, subject->prefix, error));
    for (size_t i = 0; i < subject->before.n; i++) {
        THEN(check_id(subject, subject->before.ids[i], error));
    }
    if (status != MNEME_OK) subject_close(subject);
    return status;
}

void subject_close(struct subject *subject) {
    token_list_free(&subject->before);
    *subject = (struct subject){0};
}

mneme_status subject_encode(const struct subject *subject, const char *text, struct token_list *ids,
                            mneme_error *error) {
    struct tokenizer *tokenizer = subject->language->tokenizer;
    if (subject->special_tokens && !form_is_chat(text)) {
        return tokenizer_encode(tokenizer, text, strlen(text), ids, error);
    }
    return chat_style_encode(subject->style, tokenizer, text, false, ids, error);
}
