#include "model/config.h"

/* What follows from the other keys. */
static bool default_swilu(const struct memory_config *config) {
    return !config->peer_variant;
}

static bool default_value_proj(const struct memory_config *config, size_t dim) {
    return config->swilu_projection || config->v_dim != dim;
}

mneme_status memory_variant_read(const struct json_place *memory, size_t dim,
                                 struct memory_config *config, mneme_error *error) {
    config->query_bias = true;
    mneme_status status =
        json_get_bool(memory, "query_bias", KEY_OPTIONAL, &config->query_bias, error);
    if (status == MNEME_OK) {
        status = json_get_bool(memory, "gated", KEY_OPTIONAL, &config->gated, error);
    }
    if (status == MNEME_OK) {
        status = json_get_bool(memory, "peer_variant", KEY_OPTIONAL, &config->peer_variant, error);
    }
    config->swilu_projection = default_swilu(config);
    if (status == MNEME_OK) {
        status = json_get_bool(memory, "swilu_projection", KEY_OPTIONAL, &config->swilu_projection,
                               error);
    }
    config->value_proj = default_value_proj(config, dim);
    if (status != MNEME_OK) return status;
    return json_get_bool(memory, "value_proj", KEY_OPTIONAL, &config->value_proj, error);
}

static int write_unless(json_t *object, const char *key, bool value, bool usual) {
    return value == usual ? 0 : json_object_set_new(object, key, json_boolean(value));
}

int memory_variant_write(const struct memory_config *config, size_t dim, json_t *memory) {
    int failed = write_unless(memory, "query_bias", config->query_bias, true);
    failed |= write_unless(memory, "gated", config->gated, false);
    failed |= write_unless(memory, "peer_variant", config->peer_variant, false);
    failed |=
        write_unless(memory, "swilu_projection", config->swilu_projection, default_swilu(config));
    return failed |
           write_unless(memory, "value_proj", config->value_proj, default_value_proj(config, dim));
}

mneme_status memory_variant_check(const struct memory_config *config, size_t dim,
                                  const struct json_place *memory, mneme_error *error) {
    if (config->peer_variant && config->swilu_projection) {
        return json_refuse(memory, "swilu_projection", error, "PEER has none");
    }
    if (config->peer_variant && config->value_proj) {
        return json_refuse(memory, "value_proj", error, "PEER has none, and its v_dim is %zu", dim);
    }
    if (config->swilu_projection && !config->value_proj) {
        return json_refuse(memory, "value_proj", error, "swilu_projection needs it");
    }
    if (!config->value_proj && config->v_dim != dim) {
        return json_refuse(memory, "v_dim", error, "is %zu; without value_proj it must be %zu",
                           config->v_dim, dim);
    }
    return MNEME_OK;
}
