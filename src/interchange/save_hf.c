#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "base/path.h"
#include "interchange/foreign.h"
#include "interchange/hf_files.h"
#include "interchange/hf_layout.h"
#include "model/model.h"
#include "tensor/safetensors.h"

static json_t *size_json(size_t size) {
    return json_integer((json_int_t)size);
}

static json_t *config_to_json(const struct model_config *config) {
    json_t *object = json_object();
    json_object_set_new(object, "architectures", json_pack("[s]", "LlamaForCausalLM"));
    json_object_set_new(object, "model_type", json_string("llama"));
    json_object_set_new(object, "vocab_size", size_json(config->vocab_size));
    json_object_set_new(object, "hidden_size", size_json(config->dim));
    json_object_set_new(object, "intermediate_size", size_json(model_hidden_dim(config)));
    json_object_set_new(object, "num_hidden_layers", size_json(config->n_layers));
    json_object_set_new(object, "num_attention_heads", size_json(config->n_heads));
    json_object_set_new(object, "num_key_value_heads", size_json(config->n_kv_heads));
    json_object_set_new(object, "head_dim", size_json(model_head_dim(config)));
    json_object_set_new(object, "max_position_embeddings", size_json(config->max_seq_len));
    json_object_set_new(object, "hidden_act", json_string("silu"));
    json_object_set_new(object, "rms_norm_eps", json_float(config->norm_eps));
    json_object_set_new(object, "rope_theta", json_float(config->rope_theta));
    json_object_set_new(object, "attention_bias", json_false());
    json_object_set_new(object, "mlp_bias", json_false());
    json_object_set_new(object, "tie_word_embeddings", json_boolean(config->tied_output));
    json_object_set_new(object, "torch_dtype", json_string("float32"));
    return object;
}

/* Queries and keys of all layers in transformers' order of rows; the caller frees the block.
 * tensors[i] are the parameters'. */
static mneme_status split_rows(const struct model *model, struct tensor *tensors, float **block,
                               mneme_error *error) {
    size_t count = 0, head_dim = model_head_dim(&model->config);
    for (size_t l = 0; l < model->config.n_layers; l++) {
        count += model->layers[l].wq->count + model->layers[l].wk->count;
    }
    *block = memory_allocate(count, sizeof **block);
    if (*block == NULL) return error_set_memory(error, "weights");
    float *next = *block;
    for (size_t l = 0; l < model->config.n_layers; l++) {
        const struct parameter *both[2] = {model->layers[l].wq, model->layers[l].wk};
        for (size_t i = 0; i < 2; i++) {
            hf_layout_split_rows(both[i]->shape[0] / head_dim, head_dim, both[i]->shape[1],
                                 both[i]->data, next);
            tensors[both[i] - model->parameters].data = next;
            next += both[i]->count;
        }
    }
    return MNEME_OK;
}

static mneme_status save_weights(const struct model *model, const char *path, mneme_error *error) {
    static const struct safetensors_metadata metadata = {"format", "pt"};
    struct tensor *tensors = calloc(model->n_parameters, sizeof *tensors);
    char(*names)[FOREIGN_NAME_SIZE] = calloc(model->n_parameters, sizeof *names);
    float *block = NULL;
    mneme_status status =
        tensors == NULL || names == NULL ? error_set_memory(error, path) : MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        tensors[i] = parameter_tensor(&model->parameters[i], model->parameters[i].data);
        hf_layout_name(&model->parameters[i], names[i]);
        tensors[i].name = names[i];
    }
    THEN(split_rows(model, tensors, &block, error));
    THEN(safetensors_write(path, tensors, model->n_parameters, &metadata, 1, error));
    free(block);
    free(names);
    free(tensors);
    return status;
}

mneme_status foreign_save_hf(const struct model *model, const char *source,
                             const struct tokenizer *tokenizer, const char *folder,
                             mneme_error *error) {
    json_t *object = config_to_json(&model->config);
    if (object == NULL) return error_set_memory(error, folder);
    mneme_status status = hf_files_export_ends(source, tokenizer, object, error);
    THEN(json_write_file(path_in(folder, "config.json").text, object, error));
    json_decref(object);
    THEN(save_weights(model, path_in(folder, "model.safetensors").text, error));
    return status;
}
