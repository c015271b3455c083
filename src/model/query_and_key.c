#include "model/query_and_key.h"

#include "nn/rms_norm.h"
#include "nn/rope.h"

/* Either of the two. */
struct heads {
    size_t n;
    const struct parameter *weight, *bias, *norm; /* NULL: there is none */
    float *projected, *norm_r;                    /* the norm's input, and its factors */
    float *rotated;
};

static struct heads queries(const struct pass *pass, size_t l) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    return (struct heads){.n = pass->model->config.n_heads,
                          .weight = layer->wq,
                          .bias = layer->wq_bias,
                          .norm = layer->q_norm,
                          .projected = a->q_projected,
                          .norm_r = a->q_norm_r,
                          .rotated = a->q};
}

static struct heads keys(const struct pass *pass, size_t l) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    return (struct heads){.n = pass->model->config.n_kv_heads,
                          .weight = layer->wk,
                          .bias = layer->wk_bias,
                          .norm = layer->k_norm,
                          .projected = a->k_projected,
                          .norm_r = a->k_norm_r,
                          .rotated = a->k};
}

static void rotate(const struct pass *pass, const struct batch *batch, size_t n_heads,
                   float direction, float *x) {
    const struct scratch *s = &pass->scratch;
    rope_apply(batch->n_tokens, n_heads, model_head_dim(&pass->model->config), batch->positions,
               s->rope_cosine, s->rope_sine, direction, x);
}

static void forward(struct pass *pass, const struct batch *batch, const float *normed,
                    const struct heads *h) {
    const struct model_config *config = &pass->model->config;
    projection_forward(pass, batch->n_tokens, h->weight, h->bias, normed,
                       h->norm == NULL ? h->rotated : h->projected);
    if (h->norm != NULL) {
        rms_norm_forward(batch->n_tokens * h->n, model_head_dim(config), h->projected,
                         h->norm->data, config->norm_eps, h->rotated, h->norm_r);
    }
    rotate(pass, batch, h->n, 1.0f, h->rotated);
}

/* d becomes the gradient of the linear layer's output; d_normed is overwritten or, with
 * accumulate, continued. */
static void backward(struct pass *pass, struct gradients *gradients, const struct batch *batch,
                     const float *normed, const struct heads *h, float *d, bool accumulate) {
    rotate(pass, batch, h->n, -1.0f, d);
    if (h->norm != NULL) {
        rms_norm_backward(batch->n_tokens * h->n, model_head_dim(&pass->model->config),
                          h->projected, h->norm->data, h->norm_r, d, d,
                          gradient_of(gradients, h->norm));
    }
    projection_backward(pass, gradients, batch->n_tokens, h->weight, h->bias, normed, d,
                        pass->scratch.d_normed, accumulate);
}

void query_and_key_forward(struct pass *pass, size_t l, const struct batch *batch) {
    const float *normed = pass->activations.layers[l].normed;
    const struct heads q = queries(pass, l), k = keys(pass, l);
    forward(pass, batch, normed, &q);
    forward(pass, batch, normed, &k);
}

void query_and_key_backward(struct pass *pass, struct gradients *gradients, size_t l,
                            const struct batch *batch, float *d_q) {
    const float *normed = pass->activations.layers[l].normed;
    const struct heads q = queries(pass, l), k = keys(pass, l);
    backward(pass, gradients, batch, normed, &q, d_q, false);
    backward(pass, gradients, batch, normed, &k, pass->scratch.d_k, true);
}
