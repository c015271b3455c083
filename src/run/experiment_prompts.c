/* How facts are asked: their prompts as tokens, and where answers end. */

#include "run/experiment.h"

#include "text/form.h"

struct text_manner experiment_manner(const struct experiment *experiment) {
    const struct recipe *recipe = &experiment->recipe;
    const size_t cut = recipe->finetune.sequence_length, most = recipe->model.max_seq_len;
    return model_texts_manner(&experiment->texts, cut > 0 && cut < most ? cut : most);
}

mneme_status experiment_answer_ends(const struct experiment *e, struct token_list *stops,
                                    mneme_error *error) {
    if (e->answer_lines) return model_texts_answer_ends(&e->texts, e->tokenizer, stops, error);
    int32_t end = tokenizer_end_of_text(e->tokenizer);
    return end == TOKEN_NONE ? MNEME_OK : token_list_append(stops, &end, 1, error);
}

mneme_status experiment_add_prompt(const struct experiment *e, const struct fact *fact,
                                   struct token_texts *prompts, mneme_error *error) {
    const struct text_manner manner = experiment_manner(e);
    const size_t limit = e->recipe.model.max_seq_len;
    if (form_is_chat(fact->prompt) && e->texts.style == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: key `evaluate.prompt`: has turns, but how the model writes chats is "
                         "not known",
                         e->recipe.path);
    }
    TRY(token_texts_add_asked(prompts, e->tokenizer, &manner, fact->prompt, error));
    const size_t length = prompts->lengths[prompts->n - 1];
    if (length + 1 <= limit) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: model.max_seq_len is %zu, but a question has %zu tokens, and its answer "
                     "needs one more",
                     e->recipe.path, limit, length);
}
