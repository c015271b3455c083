#ifndef NN_ROPE_H
#define NN_ROPE_H

#include <stddef.h>
#include <stdint.h>

/* How the frequencies are rounded; both are theta^(-2i/head_dim). */
enum rope_rule {
    ROPE_OF_MNEME,        /* one power */
    ROPE_OF_TRANSFORMERS, /* 1 / theta^(2i/head_dim), whose bits are PyTorch's */
    ROPE_RULE_COUNT
};

/* How the frequencies are stretched for texts that are longer than those of the training. */
enum rope_scaling {
    ROPE_UNSCALED,
    ROPE_LINEAR, /* all divided by the factor */
    ROPE_LLAMA3, /* those with wavelengths above original / low_freq divided by the factor, those
                    below original / high_freq left, and a mean of both between, as Llama 3.1 */
    ROPE_SCALING_COUNT
};

struct rope {
    float theta;
    enum rope_rule rule;
    enum rope_scaling scaling;
    float factor;              /* scaled: */
    float low_freq, high_freq; /* llama3: low_freq < high_freq */
    float original;            /* llama3: longest sequence of the training */
};

/* Rotary position embedding on interleaved pairs (2i, 2i+1), angle position * frequency i.
 *
 * Frequency i of a head's head_dim / 2. Canonical functions only, as below. */
float rope_frequency(size_t head_dim, const struct rope *rope, size_t i);

/* Fills cosine and sine [n_positions, head_dim] in the layout that the rotation kernel reads: each
 * cosine twice, and (-sin, sin). */
void rope_table(size_t n_positions, size_t head_dim, const struct rope *rope, float *cosine,
                float *sine);

/* Rotates x [n, heads, head_dim] in place, token i by positions[i]; direction +1 for the forward
 * pass and -1 for the backward pass. */
void rope_apply(size_t n, size_t heads, size_t head_dim, const int32_t *positions,
                const float *cosine, const float *sine, float direction, float *x);

#endif
