#include "train/step.h"

#include <math.h>

#include "model/record_pass.h"

/* Loss and gradients of all micro-batches. */
static mneme_status find_gradients(struct pass *pass, struct gradients *gradients,
                                   const struct batch *micro_batches, size_t n_micro_batches,
                                   struct backward_extent extent, struct slot_usage *usage,
                                   float *loss, mneme_error *error) {
    size_t targets = 0;
    for (size_t i = 0; i < n_micro_batches; i++) targets += batch_count_targets(&micro_batches[i]);
    float scale = 1.0f / (float)(targets > 0 ? targets : 1), sum = 0.0f;
    for (size_t i = 0; i < n_micro_batches; i++) {
        const struct batch *batch = &micro_batches[i];
        TRY(model_forward(pass, batch, NULL, error));
        record_forward(pass, batch);
        model_loss(pass, batch, scale, gradients);
        sum = pass_add_losses(pass, sum);
        model_backward(pass, batch, gradients, extent);
        if (usage == NULL) continue;
        /* The embedding's gradient has sorted tokens in the same room. */
        batch_reads_sort(&pass->scratch.scatter, pass);
        slot_usage_add(usage, batch_reads_slots(&pass->scratch.scatter));
    }
    model_finish_gradients(pass, gradients);
    *loss = sum * scale;
    return MNEME_OK;
}

mneme_status step_run(struct pass *pass, struct optimizer *optimizer,
                      const struct batch *micro_batches, size_t n_micro_batches,
                      struct backward_extent extent, float lr, float values_lr,
                      struct slot_usage *usage, struct step_result *result, mneme_error *error) {
    optimizer_zero_gradients(optimizer);
    record_parameters(pass);
    result->diverged = true; /* a forward pass fails for nothing else */
    TRY(find_gradients(pass, &optimizer->gradients, micro_batches, n_micro_batches, extent, usage,
                       &result->loss, error));
    record_gradients(pass->recorder, &optimizer->gradients, optimizer->n_trained,
                     optimizer->trained);
    const struct gradient_norms norms = optimizer_gradient_norms(optimizer);
    result->gradient_norm = norms.common;
    result->diverged =
        !isfinite(result->loss) || !isfinite(norms.common) || !isfinite(norms.values);
    if (result->diverged) {
        return error_set(error, MNEME_FAILED, "%s is not finite",
                         isfinite(result->loss) ? "the gradient's norm" : "the loss");
    }
    optimizer_step(optimizer, lr, values_lr, norms);
    record_weights(pass->recorder, optimizer->n_trained, optimizer->trained);
    return MNEME_OK;
}
