#include "interchange/gguf_rope.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define TWO_PI 6.28318530717958647692

static const json_t *value_of(const struct gguf *file, const char *architecture, const char *key) {
    char full[96];
    snprintf(full, sizeof full, "%s.rope.%s", architecture, key);
    return json_object_get(file->metadata, full);
}

/* The factor, 0 without one; in old files it has another name. */
static mneme_status factor_of(const struct gguf *file, const char *architecture, double *factor,
                              mneme_error *error) {
    const json_t *value = value_of(file, architecture, "scaling.factor");
    if (value == NULL) value = value_of(file, architecture, "scale_linear");
    *factor = json_number_value(value);
    if (value == NULL || (json_is_number(value) && *factor >= 0.0)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: %s.rope.scaling.factor: must be a number above 0",
                     file->file.path, architecture);
}

mneme_status gguf_rope_scaling(const struct gguf *file, const char *architecture, json_t *object,
                               mneme_error *error) {
    const json_t *type = value_of(file, architecture, "scaling.type");
    const char *name = type == NULL ? "linear" : json_string_value(type);
    double factor;
    TRY(factor_of(file, architecture, &factor, error));
    if (name == NULL || (strcmp(name, "none") != 0 && strcmp(name, "linear") != 0)) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: %s.rope.scaling.type: is %.64s, must be none or linear",
                         file->file.path, architecture, name == NULL ? "no text" : name);
    }
    if (strcmp(name, "none") == 0 || factor == 0.0 || factor == 1.0) return MNEME_OK;
    json_object_set_new(object, "rope_scaling", json_string(rope_scaling_names[ROPE_LINEAR]));
    json_object_set_new(object, "rope_factor", json_real(factor));
    return MNEME_OK;
}

/* What llama.cpp's converter writes for frequency i. */
static double factor_at(const struct model_config *config, const struct rope *rope, size_t i) {
    const size_t head_dim = model_head_dim(config);
    struct rope unscaled = *rope;
    unscaled.scaling = ROPE_UNSCALED;
    return (double)rope_frequency(head_dim, &unscaled, i) /
           (double)rope_frequency(head_dim, rope, i);
}

static bool explains(const struct model_config *config, const float *factors) {
    const struct rope rope = model_rope(config);
    for (size_t i = 0; i < model_head_dim(config) / 2; i++) {
        const double expected = factor_at(config, &rope, i);
        if (!(fabs(expected - (double)factors[i]) <= 4e-5 * expected)) return false;
    }
    return true;
}

static double wavelength(const struct model_config *config, size_t i) {
    struct rope rope = model_rope(config);
    rope.scaling = ROPE_UNSCALED;
    return TWO_PI / (double)rope_frequency(model_head_dim(config), &rope, i);
}

/* Frequencies from `first` on are not left as they are, those from `last` on divided by the whole
 * factor. */
struct between {
    size_t first, last;
};

static struct between find_between(const float *factors, size_t n, float factor) {
    struct between between = {0, n};
    while (between.first < n && factors[between.first] == 1.0f) between.first++;
    while (between.last > 0 && factors[between.last - 1] == factor) between.last--;
    return between;
}

static bool try_numbers(struct model_config *config, const float *factors, double high,
                        double original) {
    if (!(high > 1.0) || !(original >= 1.0) || original > 1e9) return false;
    config->rope_low_freq = 1.0f;
    config->rope_high_freq = (float)high;
    config->rope_original = (size_t)original;
    return explains(config, factors);
}

/* The share of the unscaled frequency in frequency i: smooth of Llama 3's formula. */
static double share_at(const float *factors, size_t i, double factor) {
    return (1.0 / (double)factors[i] - 1.0 / factor) / (1.0 - 1.0 / factor);
}

/* With the low factor 1 the share is (original / wavelength - 1) / (high - 1), a straight line
 * through two points. */
static bool solve_line(struct model_config *config, const float *factors, struct between between) {
    const double factor = (double)config->rope_factor;
    const size_t a = between.first, b = between.last - 1;
    const double turns_a = 1.0 / wavelength(config, a), turns_b = 1.0 / wavelength(config, b);
    const double share_a = share_at(factors, a, factor), share_b = share_at(factors, b, factor);
    const double slope = (share_a - share_b) / (turns_a - turns_b);
    const double at_zero = share_a - slope * turns_a; /* -1 / (high - 1) */
    const double high = 1.0 - 1.0 / at_zero;
    const double rounded = floor(high * 64.0 + 0.5) / 64.0;
    return try_numbers(config, factors, rounded, floor(slope * (rounded - 1.0) + 0.5));
}

/* With one frequency between, or none, several high factors could be; this one is tried. */
static bool solve_for(struct model_config *config, const float *factors, struct between between,
                      size_t n, double high) {
    if (between.first + 1 == between.last) {
        const double share = share_at(factors, between.first, (double)config->rope_factor);
        return try_numbers(
            config, factors, high,
            floor((share * (high - 1.0) + 1.0) * wavelength(config, between.first) + 0.5));
    }
    if (between.first == 0) return try_numbers(config, factors, high, 1.0);
    const double above = high * wavelength(config, between.first - 1);
    const double below = between.first < n ? wavelength(config, between.first) : 1e9;
    return above < below && try_numbers(config, factors, high, ceil(above));
}

/* All that explain the factors give the same frequencies; the usual one comes first. */
static bool solve_high(struct model_config *config, const float *factors, struct between between,
                       size_t n) {
    static const double highs[] = {4.0, 2.0, 8.0, 3.0, 1.5, 16.0, 32.0, 1.25, 1.0625};
    for (size_t i = 0; i < sizeof highs / sizeof *highs; i++) {
        if (solve_for(config, factors, between, n, highs[i])) return true;
    }
    return false;
}

/* Those of Llama 3.1 to 3.3. */
static bool is_usual(struct model_config *config, const float *factors) {
    return try_numbers(config, factors, 4.0, 8192.0);
}

/* False: the factors are not Llama 3's. */
static bool solve(struct model_config *config, const float *factors, size_t n) {
    float most = 1.0f;
    for (size_t i = 0; i < n; i++) {
        if (!(factors[i] >= 1.0f)) return false;
        if (factors[i] > most) most = factors[i];
    }
    if (most == 1.0f) return true; /* nothing is scaled */
    if (config->rope_scaling != ROPE_UNSCALED) return false;
    const struct between between = find_between(factors, n, most);
    config->rope_scaling = ROPE_LLAMA3;
    config->rope_factor = most;
    if (is_usual(config, factors)) return true;
    if (between.first + 1 < between.last) return solve_line(config, factors, between);
    return solve_high(config, factors, between, n);
}

mneme_status gguf_rope_factors(const struct gguf *file, struct model_config *config,
                               mneme_error *error) {
    const size_t n = model_head_dim(config) / 2;
    if (gguf_find(file, GGUF_ROPE_FACTORS) == NULL) return MNEME_OK;
    float *factors = memory_allocate(n, sizeof *factors);
    if (factors == NULL) return error_set_memory(error, file->file.path);
    mneme_status status = gguf_read_f32(file, GGUF_ROPE_FACTORS, 1, &n, factors, error);
    if (status == MNEME_OK && !solve(config, factors, n)) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s: tensor `" GGUF_ROPE_FACTORS "`: not the factors of Llama 3's RoPE",
                           file->file.path);
    }
    free(factors);
    return status;
}
