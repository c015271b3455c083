#include "interchange/hf_layout.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *ours, *theirs;
} names[] = {
    {"attention_norm.weight", "input_layernorm.weight"},
    {"attention.wq.weight", "self_attn.q_proj.weight"},
    {"attention.wk.weight", "self_attn.k_proj.weight"},
    {"attention.wv.weight", "self_attn.v_proj.weight"},
    {"attention.wo.weight", "self_attn.o_proj.weight"},
    {"ffn_norm.weight", "post_attention_layernorm.weight"},
    {"feed_forward.w1.weight", "mlp.gate_proj.weight"},
    {"feed_forward.w2.weight", "mlp.down_proj.weight"},
    {"feed_forward.w3.weight", "mlp.up_proj.weight"},
    {"tok_embeddings.weight", "model.embed_tokens.weight"},
    {"norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
};

void hf_layout_name(const char *ours, char theirs[FOREIGN_NAME_SIZE]) {
    static const char layers[] = "layers.";
    size_t start = 0;
    if (strncmp(ours, layers, strlen(layers)) == 0) {
        start = strlen(layers) + strcspn(ours + strlen(layers), ".") + 1;
    }
    const char *name = ours + start;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i].ours) == 0) name = names[i].theirs;
    }
    /* "layers.7." becomes "model.layers.7." */
    snprintf(theirs, FOREIGN_NAME_SIZE, "%s%.*s%s", start > 0 ? "model." : "", (int)start, ours,
             name);
}

/* The row, within a head, where the row of a pair stands when the halves are split. */
static size_t split_row(size_t row, size_t head_dim) {
    return row % 2 * (head_dim / 2) + row / 2;
}

void hf_layout_pair_rows(size_t heads, size_t head_dim, size_t columns,
                         const float *restrict halves, float *restrict pairs) {
    for (size_t i = 0; i < heads * head_dim; i++) {
        size_t from = i / head_dim * head_dim + split_row(i % head_dim, head_dim);
        memcpy(pairs + i * columns, halves + from * columns, columns * sizeof *pairs);
    }
}

void hf_layout_split_rows(size_t heads, size_t head_dim, size_t columns,
                          const float *restrict pairs, float *restrict halves) {
    for (size_t i = 0; i < heads * head_dim; i++) {
        size_t to = i / head_dim * head_dim + split_row(i % head_dim, head_dim);
        memcpy(halves + to * columns, pairs + i * columns, columns * sizeof *halves);
    }
}
