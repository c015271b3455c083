/* Writing an adapter for peft. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "interchange/adapter_file.h"
#include "interchange/hf_layout.h"
#include "interchange/peft.h"
#include "model/adapter.h"
#include "tensor/safetensors.h"

static mneme_status read_model(const char *folder, struct model *model, mneme_error *error) {
    struct path path = path_in(folder, "config.json");
    struct model_config config;
    json_t *object = NULL;
    mneme_status status = json_read_file(path.text, JSON_MAX_BYTES, &object, error);
    THEN(model_config_from_json(object, path.text, &config, error));
    THEN(model_describe(&config, model, error));
    json_decref(object);
    return status;
}

/* Names of an adapter's tensors there, and the last part of its module's. */
struct peft_names {
    char a[2 * FOREIGN_NAME_SIZE], b[2 * FOREIGN_NAME_SIZE];
    char module[FOREIGN_NAME_SIZE];
};

static void name_adapter(const struct parameter *weight, struct peft_names *names) {
    hf_layout_name(weight, names->module);
    names->module[strlen(names->module) - strlen(".weight")] = '\0';
    snprintf(names->a, sizeof names->a, "base_model.model.%s.lora_A.weight", names->module);
    snprintf(names->b, sizeof names->b, "base_model.model.%s.lora_B.weight", names->module);
}

/* {"q_proj", …}, each once. */
static json_t *targets_of(const struct peft_names *names, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const char *target = strrchr(names[i].module, '.') + 1;
        bool known = false;
        for (size_t j = 0; j < json_array_size(list); j++) {
            known = known || strcmp(json_string_value(json_array_get(list, j)), target) == 0;
        }
        if (!known) json_array_append_new(list, json_string(target));
    }
    return list;
}

/* The layers with adapters where not all have some, otherwise null. */
static json_t *layers_of(const struct adapter_set *set, size_t n_layers) {
    size_t first = set->adapters[0].weight->layer;
    size_t last = set->adapters[set->n_adapters - 1].weight->layer;
    if (last + 1 - first == n_layers) return json_null();
    json_t *list = json_array();
    for (size_t l = first; l <= last; l++) json_array_append_new(list, json_integer((json_int_t)l));
    return list;
}

static json_t *number_json(float value) {
    return value == (float)(json_int_t)value ? json_integer((json_int_t)value) : json_float(value);
}

static mneme_status save_config(const struct adapter_set *set, const struct peft_names *names,
                                size_t n_layers, const char *out, mneme_error *error) {
    struct path path = path_in(out, "adapter_config.json");
    float rank = (float)set->adapters[0].a.shape[0];
    json_t *object = json_pack(
        "{s:s, s:s, s:n, s:o, s:o, s:f, s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:{}, s:{}, s:n, s:b}",
        "peft_type", "LORA", "task_type", "CAUSAL_LM", "base_model_name_or_path", "r",
        number_json(rank), "lora_alpha", number_json(set->adapters[0].scale * rank), "lora_dropout",
        0.0, "bias", "none", "target_modules", targets_of(names, set->n_adapters),
        "layers_to_transform", layers_of(set, n_layers), "use_rslora", 0, "use_dora", 0,
        "fan_in_fan_out", 0, "inference_mode", 1, "rank_pattern", "alpha_pattern",
        "modules_to_save", "init_lora_weights", 1);
    mneme_status status = object == NULL ? error_set_memory(error, path.text)
                                         : json_write_file(path.text, object, error);
    json_decref(object);
    return status;
}

/* B's rows in transformers' order, in place; those of queries and keys differ. */
static mneme_status split_rows(const struct model *model, const struct adapter_set *set,
                               mneme_error *error) {
    size_t head_dim = model_head_dim(&model->config);
    for (size_t i = 0; i < set->n_adapters; i++) {
        const struct adapter *adapter = &set->adapters[i];
        const struct layer *layer = &model->layers[adapter->weight->layer];
        if (adapter->weight != layer->wq && adapter->weight != layer->wk) continue;
        size_t bytes = adapter->b.count * sizeof(float), rank = adapter->b.shape[1];
        float *pairs = malloc(bytes);
        if (pairs == NULL) return error_set_memory(error, "the adapter");
        memcpy(pairs, adapter->b.data, bytes);
        hf_layout_split_rows(adapter->b.shape[0] / head_dim, head_dim, rank, pairs,
                             adapter->b.data);
        free(pairs);
    }
    return MNEME_OK;
}

static mneme_status save_weights(const struct adapter_set *set, const struct peft_names *names,
                                 const char *out, mneme_error *error) {
    static const struct safetensors_metadata metadata = {"format", "pt"};
    struct path path = path_in(out, "adapter_model.safetensors");
    struct tensor *tensors = calloc(2 * set->n_adapters, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, path.text);
    for (size_t i = 0; i < set->n_adapters; i++) {
        const struct adapter *adapter = &set->adapters[i];
        tensors[2 * i] = parameter_tensor(&adapter->a, adapter->a.data);
        tensors[2 * i + 1] = parameter_tensor(&adapter->b, adapter->b.data);
        tensors[2 * i].name = names[i].a;
        tensors[2 * i + 1].name = names[i].b;
    }
    mneme_status status =
        safetensors_write(path.text, tensors, 2 * set->n_adapters, &metadata, 1, error);
    free(tensors);
    return status;
}

static mneme_status check_places(const struct adapter_set *set, const char *folder,
                                 mneme_error *error) {
    for (size_t i = 0; i < set->n_adapters; i++) {
        if (set->adapters[i].weight->hf_name != NULL) continue;
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: `%s` is of a memory layer, which transformers' Llama has not", folder,
                         set->adapters[i].a.name);
    }
    return MNEME_OK;
}

static mneme_status save(const struct model *model, const struct adapter_set *set, const char *out,
                         mneme_error *error) {
    struct peft_names *names = calloc(set->n_adapters, sizeof *names);
    if (names == NULL) return error_set_memory(error, "the adapter");
    for (size_t i = 0; i < set->n_adapters; i++) name_adapter(set->adapters[i].weight, &names[i]);
    mneme_status status = split_rows(model, set, error);
    THEN(save_config(set, names, model->config.n_layers, out, error));
    THEN(save_weights(set, names, out, error));
    free(names);
    return status;
}

mneme_status peft_save(const char *folder, const char *out, mneme_interchange_result *result,
                       mneme_error *error) {
    struct model model = {0};
    struct adapter_set set = {0};
    mneme_status status = read_model(folder, &model, error);
    THEN(adapter_file_load(folder, &model, &set, error));
    THEN(check_places(&set, folder, error));
    THEN(save(&model, &set, out, error));
    if (status == MNEME_OK) {
        result->n_tensors = 2 * set.n_adapters;
        for (size_t i = 0; i < set.n_adapters; i++) {
            result->n_parameters += set.adapters[i].a.count + set.adapters[i].b.count;
        }
    }
    adapter_set_close(&set);
    model_close(&model);
    return status;
}
