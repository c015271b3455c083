#include "interchange/hf_rope.h"

#include <stdint.h>
#include <string.h>

#include "base/json_write.h"
#include "interchange/foreign.h"
#include "interchange/foreign_keys.h"

#define MOST_FACTOR 1e6f

/* What one of the two objects says. */
struct said {
    bool is_there;
    size_t type; /* enum rope_scaling */
    float factor, low, high;
    size_t original;
    float theta; /* 0: nothing */
};

static const char *const types[ROPE_SCALING_COUNT] = {"default", "linear", "llama3"};

/* `rope_type`, in older files `type`. */
static mneme_status read_type(const struct json_place *rope, size_t *type, mneme_error *error) {
    static const char *const names[] = {"rope_type", "type"};
    for (size_t i = 0; i < 2; i++) {
        if (json_object_get(rope->object, names[i]) == NULL) continue;
        return json_get_choice(rope, names[i], KEY_REQUIRED, types, ROPE_SCALING_COUNT, type,
                               error);
    }
    return MNEME_OK;
}

/* The numbers of its type; others are not looked at, as in transformers. */
static mneme_status read_numbers(const struct json_place *rope, size_t longest, struct said *said,
                                 mneme_error *error) {
    if (said->type == ROPE_UNSCALED) return MNEME_OK;
    TRY(json_get_float(rope, "factor", KEY_REQUIRED, 1e-6f, MOST_FACTOR, &said->factor, error));
    if (said->type != ROPE_LLAMA3) return MNEME_OK;
    said->original = longest;
    TRY(json_get_float(rope, "low_freq_factor", KEY_REQUIRED, 1e-6f, MOST_FACTOR, &said->low,
                       error));
    TRY(json_get_float(rope, "high_freq_factor", KEY_REQUIRED, 1e-6f, MOST_FACTOR, &said->high,
                       error));
    if (said->low >= said->high) {
        return json_refuse(rope, "high_freq_factor", error, "must be above low_freq_factor");
    }
    return json_get_size(rope, "original_max_position_embeddings", KEY_OPTIONAL, 1, INT32_MAX,
                         &said->original, error);
}

static mneme_status read_object(const struct json_place *root, const char *key, struct said *said,
                                mneme_error *error) {
    static const char *const keys[] = {"rope_type",        "type",
                                       "rope_theta",       "partial_rotary_factor",
                                       "factor",           "low_freq_factor",
                                       "high_freq_factor", "original_max_position_embeddings"};
    struct json_place rope;
    float whole = 1.0f;
    size_t longest = 0;
    *said = (struct said){0};
    foreign_drop_nulls(json_object_get(root->object, key));
    TRY(json_get_object(root, key, KEY_OPTIONAL, &rope, error));
    said->is_there = json_object_size(rope.object) > 0;
    if (!said->is_there) return MNEME_OK;
    TRY(read_type(&rope, &said->type, error));
    TRY(json_check_keys(&rope, keys, sizeof keys / sizeof *keys, error));
    TRY(json_get_float(&rope, "partial_rotary_factor", KEY_OPTIONAL, 1.0f, 1.0f, &whole, error));
    TRY(json_get_float(&rope, "rope_theta", KEY_OPTIONAL, 1.0f, 1e12f, &said->theta, error));
    TRY(json_get_size(root, "max_position_embeddings", KEY_REQUIRED, 2, INT32_MAX, &longest,
                      error));
    return read_numbers(&rope, longest, said, error);
}

/* The theta of the object, or that at the top; where both are there they agree. */
static mneme_status check_theta(const struct json_place *root, const struct said *said,
                                mneme_error *error) {
    float top = said->theta;
    if (said->theta == 0.0f) return MNEME_OK;
    TRY(json_get_float(root, "rope_theta", KEY_OPTIONAL, 1.0f, 1e12f, &top, error));
    if (top == said->theta) return MNEME_OK;
    return json_refuse(root, "rope_theta", error, "is %g, but RoPE's own object says %g",
                       (double)top, (double)said->theta);
}

static mneme_status check_agreement(const struct json_place *root, const struct said *a,
                                    const struct said *b, mneme_error *error) {
    if (!a->is_there || !b->is_there) return MNEME_OK;
    if (a->type == b->type && a->factor == b->factor && a->low == b->low && a->high == b->high &&
        a->original == b->original && a->theta == b->theta) {
        return MNEME_OK;
    }
    return json_refuse(root, "rope_parameters", error, "says otherwise than rope_scaling");
}

static void set_float(json_t *object, const char *key, float value) {
    if (value > 0.0f) json_object_set_new(object, key, json_real((double)value));
}

mneme_status hf_rope_read(const struct json_place *root, json_t *object, mneme_error *error) {
    struct said scaling, parameters;
    TRY(read_object(root, "rope_scaling", &scaling, error));
    TRY(read_object(root, "rope_parameters", &parameters, error));
    TRY(check_theta(root, &scaling, error));
    TRY(check_theta(root, &parameters, error));
    TRY(check_agreement(root, &scaling, &parameters, error));
    const struct said *said = scaling.is_there ? &scaling : &parameters;
    json_object_del(object, "rope_scaling");
    json_object_del(object, "rope_parameters");
    set_float(object, "rope_theta", scaling.theta);
    set_float(object, "rope_theta", parameters.theta);
    json_object_set_new(object, "rope_rule", json_string(rope_rule_names[ROPE_OF_TRANSFORMERS]));
    json_object_set_new(object, "rope_scaling", json_string(rope_scaling_names[said->type]));
    set_float(object, "rope_factor", said->factor);
    set_float(object, "rope_low_freq", said->low);
    set_float(object, "rope_high_freq", said->high);
    if (said->original > 0) {
        json_object_set_new(object, "rope_original", json_integer((json_int_t)said->original));
    }
    return MNEME_OK;
}

void hf_rope_write(const struct model_config *config, json_t *object) {
    json_object_set_new(object, "rope_theta", json_float(config->rope_theta));
    if (config->rope_scaling == ROPE_UNSCALED) return;
    json_t *rope = json_object();
    json_object_set_new(rope, "rope_type", json_string(types[config->rope_scaling]));
    json_object_set_new(rope, "factor", json_float(config->rope_factor));
    if (config->rope_scaling == ROPE_LLAMA3) {
        json_object_set_new(rope, "low_freq_factor", json_float(config->rope_low_freq));
        json_object_set_new(rope, "high_freq_factor", json_float(config->rope_high_freq));
        json_object_set_new(rope, "original_max_position_embeddings",
                            json_integer((json_int_t)config->rope_original));
    }
    json_object_set_new(object, "rope_scaling", rope);
}
