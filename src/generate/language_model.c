#include "generate/language_model.h"

#include "base/file.h"
#include "base/path.h"

mneme_status language_model_check(const struct tokenizer *tokenizer, const struct model *model,
                                  mneme_error *error) {
    size_t n = tokenizer_text_size(tokenizer), most = model->config.vocab_size;
    if (n <= most) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: %zu tokens, but the model's vocab_size is %zu",
                     tokenizer_place(tokenizer), n, most);
}

static mneme_status open_tokenizer(struct language_model *language, const char *folder,
                                   mneme_error *error) {
    const struct path path = path_in(folder, "tokenizer.json");
    if (!file_exists(path.text)) return MNEME_OK;
    TRY(tokenizer_load(path.text, &language->tokenizer, error));
    TRY(language_model_check(language->tokenizer, &language->model, error));
    if (!language->ends.are_given) text_ends_of_tokenizer(language->tokenizer, &language->ends);
    return MNEME_OK;
}

mneme_status language_model_open(struct language_model *language, const char *folder,
                                 mneme_error *error) {
    *language = (struct language_model){0};
    TRY(model_map(folder, &language->model, error));
    return language_model_open_texts(language, folder, error);
}

mneme_status language_model_open_texts(struct language_model *language, const char *folder,
                                       mneme_error *error) {
    mneme_status status = text_ends_read(folder, &language->ends, error);
    THEN(open_tokenizer(language, folder, error));
    if (status != MNEME_OK) language_model_close(language);
    return status;
}

void language_model_close(struct language_model *language) {
    tokenizer_free(language->tokenizer);
    model_close(&language->model);
    *language = (struct language_model){0};
}
