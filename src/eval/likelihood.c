#include "eval/likelihood.h"

mneme_status likelihood_nll(struct pass *pass, struct batch_builder *builder,
                            const struct token_texts *texts, float *nll, mneme_error *error) {
    float sum = 0.0f;
    size_t n_tokens = 0;
    for (size_t i = 0; i < texts->n;) {
        batch_builder_clear(builder);
        while (i < texts->n && batch_builder_add_text(builder, texts, i)) i++;
        struct batch batch = batch_builder_whole(builder);
        if (batch.n_tokens == 0) {
            return error_set(error, MNEME_FAILED, "text %zu is too long for a pass", i + 1);
        }
        TRY(model_forward(pass, &batch, NULL, error));
        model_loss(pass, &batch, 0.0f, NULL);
        sum = pass_add_losses(pass, sum);
        n_tokens += batch.n_tokens;
    }
    *nll = n_tokens == 0 ? 0.0f : sum / (float)n_tokens;
    return MNEME_OK;
}
