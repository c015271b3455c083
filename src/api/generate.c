#include <mneme/generate.h>

#include <stdlib.h>

#include "base/float_state.h"
#include "generate/text_generator.h"
#include "patch/patch_model.h"

struct mneme_generator {
    struct text_generator text;
};

mneme_status mneme_generator_open(const char *folder, mneme_generator **generator,
                                  mneme_error *error) {
    return mneme_generator_open_patched(folder, NULL, generator, error);
}

mneme_status mneme_generator_open_patched(const char *folder, const char *patch,
                                          mneme_generator **generator, mneme_error *error) {
    struct float_state state = {0};
    *generator = NULL;
    mneme_generator *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, "the generator");
    mneme_status status = float_state_enter(&state, error);
    THEN(patch_language_open(&opened->text.language, folder, patch, error));
    THEN(text_generator_begin(&opened->text, error));
    float_state_leave(&state);
    if (status == MNEME_OK) {
        *generator = opened;
    } else {
        free(opened);
    }
    return status;
}

void mneme_generator_close(mneme_generator *generator) {
    if (generator == NULL) return;
    text_generator_close(&generator->text);
    free(generator);
}

mneme_status mneme_generate_ids(mneme_generator *generator, const int32_t *prompt, size_t n_prompt,
                                size_t max_new_tokens, int32_t stop_id, int32_t *ids, size_t *n_ids,
                                mneme_error *error) {
    struct float_state state = {0};
    *n_ids = 0;
    mneme_status status = float_state_enter(&state, error);
    THEN(text_generator_continue_ids(
        &generator->text, (struct token_span){prompt, n_prompt}, max_new_tokens,
        (struct token_span){&stop_id, stop_id < 0 ? 0 : 1}, ids, n_ids, error));
    float_state_leave(&state);
    return status;
}

mneme_status mneme_generate(mneme_generator *generator, const char *prompt, size_t max_new_tokens,
                            char **text, size_t *n_tokens, mneme_error *error) {
    return mneme_generate_told(generator, prompt, max_new_tokens, NULL, NULL, text, n_tokens,
                               error);
}

mneme_status mneme_generate_told(mneme_generator *generator, const char *prompt,
                                 size_t max_new_tokens, mneme_text_callback told, void *user,
                                 char **text, size_t *n_tokens, mneme_error *error) {
    const struct text_listener listener = {told, user};
    struct float_state state = {0};
    size_t n = 0;
    *text = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(text_generator_continue(&generator->text, prompt, max_new_tokens, &listener, text, &n,
                                 error));
    float_state_leave(&state);
    if (n_tokens != NULL) *n_tokens = n;
    return status;
}
