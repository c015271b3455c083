#include "train/step.h"

#include <math.h>
#include <string.h>

#include "model/record_pass.h"
#include "nn/cross_entropy.h"
#include "nn/elementwise.h"

float step_sum_losses(float sum, size_t n, const float *losses) {
    for (size_t i = 0; i < n; i++) sum += losses[i];
    return sum;
}

size_t step_count_targets(const struct batch *batch) {
    size_t count = 0;
    for (size_t i = 0; i < batch->n_tokens; i++) {
        count += batch->targets[i] != CROSS_ENTROPY_IGNORE;
    }
    return count;
}

mneme_status step_run(const struct model *model, struct workspace *workspace,
                      struct optimizer *optimizer, const struct batch *micro_batches,
                      size_t n_micro_batches, size_t lowest_layer, float lr, float values_lr,
                      struct step_result *result, mneme_error *error) {
    size_t targets = 0;
    for (size_t i = 0; i < n_micro_batches; i++) targets += step_count_targets(&micro_batches[i]);
    float scale = 1.0f / (float)(targets > 0 ? targets : 1), sum = 0.0f;
    const bool tied = workspace->tied_gradient != NULL && model->embedding->gradient != NULL;
    optimizer_zero_gradients(optimizer);
    if (tied) memset(workspace->tied_gradient, 0, model->embedding->count * sizeof(float));
    for (size_t i = 0; i < n_micro_batches; i++) {
        const struct batch *batch = &micro_batches[i];
        mneme_status status = model_forward(model, workspace, batch, NULL, error);
        result->diverged = status != MNEME_OK;
        if (status != MNEME_OK) return status;
        record_forward(model, workspace, batch);
        model_loss(model, workspace, batch, scale);
        record_loss(model, workspace, batch);
        sum = step_sum_losses(sum, batch->n_tokens, workspace->losses);
        model_backward(model, workspace, batch, lowest_layer, false);
    }
    if (tied) {
        elementwise_add(model->embedding->count, workspace->tied_gradient,
                        model->embedding->gradient);
    }
    record_parameters(workspace->recorder, RECORD_GRADIENT, optimizer->n_trained,
                      optimizer->trained, true);
    result->loss = sum * scale;
    result->gradient_norm = optimizer_gradient_norm(optimizer);
    result->diverged = !isfinite(result->loss) || !isfinite(result->gradient_norm);
    if (result->diverged) {
        return error_set(error, MNEME_FAILED, "step %zu: %s is not finite (loss %g, norm %g)",
                         optimizer->step + 1, isfinite(result->loss) ? "the gradient" : "the loss",
                         (double)result->loss, (double)result->gradient_norm);
    }
    optimizer_step(optimizer, lr, values_lr, result->gradient_norm);
    record_parameters(workspace->recorder, RECORD_WEIGHT, optimizer->n_trained, optimizer->trained,
                      false);
    return MNEME_OK;
}
