/* A model folder's config.json. */

#include <stdint.h>

#include <mneme/version.h>

#include "base/json_path.h"
#include "model/config.h"

static const char *const own_type[] = {"mneme"}, *const activation[] = {"silu"};

json_t *model_config_to_json(const struct model_config *config) {
    const struct key *keys = config_tables[CONFIG_OF_HF].keys;
    const struct key_table sizes = {keys, CONFIG_KEY_norm_eps};
    const struct key_table others = {keys + sizes.n, CONFIG_KEY_COUNT - sizes.n};
    struct model_config written = *config;
    written.hidden_dim = model_hidden_dim(config);
    written.memory.start =
        MEMORY_DRAWN; /* which is over; other defaults are those of a drawn one */
    json_t *object = json_object();
    int failed = json_put(object, "architectures", json_pack("[s]", "MnemeForCausalLM"));
    failed |= json_put(object, "model_type", json_string(own_type[0]));
    failed |= json_put(object, "contract", json_integer(MNEME_CONTRACT_VERSION));
    failed |= keys_write(&sizes, &written, 0, object);
    failed |= json_put(object, "hidden_act", json_string(activation[0]));
    failed |= keys_write(&others, &written, 0, object);
    if (config->hidden_dim > 0) json_remove(object, "multiple_of");
    if (failed == 0) return object;
    json_decref(object);
    return NULL;
}

/* Keys that may be there but leave no choice. */
static mneme_status check_fixed(const struct json_place *root, mneme_error *error) {
    size_t ignored, contract = MNEME_CONTRACT_VERSION;
    TRY(json_get_choice(root, "model_type", KEY_OPTIONAL, own_type, 1, &ignored, error));
    TRY(json_get_choice(root, "hidden_act", KEY_OPTIONAL, activation, 1, &ignored, error));
    TRY(json_get_size(root, "contract", KEY_OPTIONAL, 1, SIZE_MAX, &contract, error));
    if (contract == MNEME_CONTRACT_VERSION) return MNEME_OK;
    return json_refuse(root, "contract", error,
                       "the model was made under contract %zu, this version keeps to %d", contract,
                       MNEME_CONTRACT_VERSION);
}

/* `intermediate_size` is the width where there is no `multiple_of`, which decides it. */
static mneme_status check_hidden(const struct json_place *root, struct model_config *config,
                                 mneme_error *error) {
    size_t hidden = config->hidden_dim;
    if (json_object_get(root->object, "multiple_of") == NULL) return MNEME_OK;
    config->hidden_dim = 0;
    if (hidden == 0 || hidden == model_hidden_dim(config)) return MNEME_OK;
    return json_refuse(root, "intermediate_size", error,
                       "is %zu; hidden_size and multiple_of make it %zu", hidden,
                       model_hidden_dim(config));
}

mneme_status model_config_from_json(const json_t *object, const char *place,
                                    struct model_config *config, mneme_error *error) {
    struct json_place root;
    struct model_config read = {0};
    TRY(json_place_root(object, place, &root, error));
    TRY(keys_check_known(&config_tables[CONFIG_OF_HF], &root, error));
    TRY(check_fixed(&root, error));
    keys_set_defaults(&config_tables[CONFIG_OF_HF], &read);
    TRY(model_config_read(&root, CONFIG_OF_HF, &read, error));
    TRY(check_hidden(&root, &read, error));
    *config = read;
    return MNEME_OK;
}
