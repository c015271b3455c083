#include "lesson/voice.h"

/* What stands before and after a text: what the folder says, or else the tokenizer. A text ends
 * with the token at which the model stops, so that an answer does. */
static void find_manner(struct voice *voice, const struct language_model *language,
                        size_t max_inputs) {
    struct text_manner *manner = &voice->manner;
    const struct token_frame *frame = tokenizer_frame(language->tokenizer);
    manner->end = tokenizer_end_of_text(language->tokenizer);
    manner->max_inputs = max_inputs;
    if (language->ends.are_given) {
        if (language->ends.n_stops > 0) manner->end = language->ends.stops[0];
        manner->before = frame->before.ids;
        manner->n_before = frame->before.n;
    } else if (language->ends.start != TOKEN_NONE) {
        manner->before = &language->ends.start;
        manner->n_before = 1;
    }
}

mneme_status voice_open(struct voice *voice, const struct language_model *language,
                        const char *folder, const char *prompt, const char *wordings,
                        size_t max_inputs, mneme_error *error) {
    *voice = (struct voice){.tokenizer = language->tokenizer};
    if (language->tokenizer == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: has no tokenizer.json", folder);
    }
    find_manner(voice, language, max_inputs);
    mneme_status status = asking_read(prompt, "--prompt", &voice->asking, error);
    THEN(wordings_load(wordings, &voice->wordings, error));
    THEN(chat_style_of_folder(language->tokenizer, folder, &voice->manner.style, error));
    if (status != MNEME_OK) voice_close(voice);
    return status;
}

void voice_close(struct voice *voice) {
    asking_free(&voice->asking);
    wordings_free(&voice->wordings);
    *voice = (struct voice){0};
}
