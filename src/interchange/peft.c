/* Reading and merging an adapter of peft. */

#define PCRE2_CODE_UNIT_WIDTH 8

#include "interchange/peft.h"

#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/path.h"
#include "interchange/foreign_keys.h"
#include "interchange/hf_layout.h"
#include "nn/linear.h"
#include "tensor/safetensors.h"

#define CONFIG "adapter_config.json"
#define WEIGHTS "adapter_model.safetensors"
#define PREFIX "base_model.model."
#define MAX_RANK 65536

static const struct foreign_key other_keys[] = {
    {"alpha_pattern", FOREIGN_ANY},
    {"auto_mapping", FOREIGN_ANY},
    {"base_model_name_or_path", FOREIGN_ANY},
    {"bias", FOREIGN_ANY},
    {"exclude_modules", FOREIGN_ANY},
    {"inference_mode", FOREIGN_ANY},
    {"init_lora_weights", FOREIGN_ANY},
    {"layers_pattern", FOREIGN_ANY},
    {"layers_to_transform", FOREIGN_ANY},
    {"lora_alpha", FOREIGN_ANY},
    {"lora_dropout", FOREIGN_ANY},
    {"megatron_core", FOREIGN_ANY},
    {"peft_type", FOREIGN_ANY},
    {"peft_version", FOREIGN_ANY},
    {"qalora_group_size", FOREIGN_ANY},
    {"r", FOREIGN_ANY},
    {"rank_pattern", FOREIGN_ANY},
    {"revision", FOREIGN_ANY},
    {"target_modules", FOREIGN_ANY},
    {"task_type", FOREIGN_ANY},
    {"use_rslora", FOREIGN_ANY},
};

/* An open adapter. */
struct peft {
    struct path config_path;
    json_t *object;
    struct json_place config;
    size_t rank;
    float alpha;
    bool by_root; /* use_rslora */
    struct safetensors weights;
};

/* Initial weights of other kinds change the base model as well. */
static mneme_status check_start(const struct json_place *config, mneme_error *error) {
    static const char *const fine[] = {"gaussian", "orthogonal", "eva"};
    const json_t *start = json_object_get(config->object, "init_lora_weights");
    if (!json_is_string(start)) return MNEME_OK;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        if (strcmp(json_string_value(start), fine[i]) == 0) return MNEME_OK;
    }
    return foreign_refuse_value(config, "init_lora_weights",
                                "which changes the base model: convert the adapter with peft first",
                                error);
}

static mneme_status read_config(struct peft *peft, mneme_error *error) {
    static const char *const types[] = {"LORA"}, *const biases[] = {"none"};
    const struct json_place *config = &peft->config;
    size_t ignored;
    TRY(json_get_choice(config, "peft_type", KEY_REQUIRED, types, 1, &ignored, error));
    TRY(json_get_choice(config, "bias", KEY_OPTIONAL, biases, 1, &ignored, error));
    TRY(check_start(config, error));
    peft->rank = 8;
    peft->alpha = 8.0f;
    TRY(json_get_size(config, "r", KEY_OPTIONAL, 1, MAX_RANK, &peft->rank, error));
    TRY(json_get_float(config, "lora_alpha", KEY_OPTIONAL, -1e9f, 1e9f, &peft->alpha, error));
    TRY(json_get_bool(config, "use_rslora", KEY_OPTIONAL, &peft->by_root, error));
    const struct key_table none = {0};
    return foreign_check_keys(config, &none, "", other_keys, sizeof other_keys / sizeof *other_keys,
                              error);
}

static mneme_status peft_open(struct peft *peft, const char *folder, mneme_error *error) {
    peft->config_path = path_in(folder, CONFIG);
    TRY(json_read_file(peft->config_path.text, JSON_MAX_BYTES, &peft->object, error));
    TRY(json_place_root(peft->object, peft->config_path.text, &peft->config, error));
    TRY(read_config(peft, error));
    return safetensors_open(&peft->weights, path_in(folder, WEIGHTS).text, error);
}

static void peft_close(struct peft *peft) {
    safetensors_close(&peft->weights);
    json_decref(peft->object);
}

/* Whether the regular expression PREFIX(KEY) matches the name to its end. */
static mneme_status matches(const struct peft *peft, const char *member, const char *prefix,
                            const char *key, const char *name, bool *found, mneme_error *error) {
    char pattern[1024];
    int code = 0;
    size_t offset;
    int length = snprintf(pattern, sizeof pattern, "%s(?:%s)$", prefix, key);
    pcre2_code *compiled = NULL;
    if (length < (int)sizeof pattern) {
        compiled =
            pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                          PCRE2_UTF | PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY, &code, &offset, NULL);
    }
    pcre2_match_data *match = compiled == NULL ? NULL : pcre2_match_data_create(1, NULL);
    if (match != NULL) {
        code = pcre2_match(compiled, (PCRE2_SPTR)name, strlen(name), 0, 0, match, NULL);
    }
    pcre2_match_data_free(match);
    pcre2_code_free(compiled);
    *found = match != NULL && code >= 0;
    if (match != NULL && (code >= 0 || code == PCRE2_ERROR_NOMATCH)) return MNEME_OK;
    return json_refuse(&peft->config, member, error, "\"%.80s\" is no pattern that can be read",
                       key);
}

/* The value that a pattern object has for a module, by the first pattern that fits; NULL: none. */
static mneme_status find_pattern(const struct peft *peft, const char *member, const char *module,
                                 const json_t **value, mneme_error *error) {
    json_t *patterns = json_object_get(peft->object, member), *each;
    const char *key;
    *value = NULL;
    json_object_foreach(patterns, key, each) {
        bool found;
        TRY(matches(peft, member, "(?:.*\\.)?", key, module, &found, error));
        if (!found) continue;
        *value = each;
        return MNEME_OK;
    }
    return MNEME_OK;
}

/* The module's rank and scale. */
static mneme_status find_scale(const struct peft *peft, const char *module, size_t *rank,
                               float *scale, mneme_error *error) {
    const json_t *r, *alpha;
    double own_alpha = peft->alpha;
    *rank = peft->rank;
    TRY(find_pattern(peft, "rank_pattern", module, &r, error));
    TRY(find_pattern(peft, "alpha_pattern", module, &alpha, error));
    json_int_t own = r == NULL ? (json_int_t)peft->rank : json_integer_value(r);
    if (own < 1 || own > MAX_RANK) {
        return json_refuse(&peft->config, "rank_pattern", error, "`%s`: must be from 1 to %d",
                           module, MAX_RANK);
    }
    if (alpha != NULL && !json_is_number(alpha)) {
        return json_refuse(&peft->config, "alpha_pattern", error, "`%s`: must be a number", module);
    }
    if (alpha != NULL) own_alpha = json_number_value(alpha);
    *rank = (size_t)own;
    *scale = (float)(own_alpha / (peft->by_root ? sqrt((double)own) : (double)own));
    return MNEME_OK;
}

/* Whether target_modules has the module: by its name's end, or as a regular expression. */
static mneme_status is_targeted(const struct peft *peft, const char *module, bool *targeted,
                                mneme_error *error) {
    static const char member[] = "target_modules";
    const json_t *targets = json_object_get(peft->object, member);
    *targeted = targets == NULL || json_is_null(targets);
    if (json_is_string(targets)) {
        const char *pattern = json_string_value(targets);
        *targeted = strcmp(pattern, "all-linear") == 0;
        return *targeted ? MNEME_OK : matches(peft, member, "", pattern, module, targeted, error);
    }
    size_t length = strlen(module);
    for (size_t i = 0; i < json_array_size(targets) && !*targeted; i++) {
        const char *target = json_string_value(json_array_get(targets, i));
        size_t n = target == NULL ? SIZE_MAX : strlen(target);
        if (n > length || strcmp(module + length - n, target) != 0) continue;
        *targeted = n == length || module[length - n - 1] == '.';
    }
    return MNEME_OK;
}

/* The module of a linear layer's weight in transformers, "model.layers.0.self_attn.q_proj"; false
 * for what is no such weight. */
static bool module_of(const struct parameter *p, char module[FOREIGN_NAME_SIZE]) {
    if ((p->roles & (ROLE_LINEAR | ROLE_OUTPUT)) == 0 || p->hf_name == NULL) return false;
    if ((p->roles & ROLE_EMBEDDING) != 0) return false;
    hf_layout_name(p, module);
    module[strlen(module) - strlen(".weight")] = '\0';
    return true;
}

/* Every tensor of the file is the A or B of a linear layer that is targeted. */
static mneme_status check_tensor(const struct peft *peft, const struct model *model,
                                 const char *name, mneme_error *error) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        char module[FOREIGN_NAME_SIZE], a[2 * FOREIGN_NAME_SIZE], b[2 * FOREIGN_NAME_SIZE];
        bool targeted;
        if (!module_of(&model->parameters[i], module)) continue;
        snprintf(a, sizeof a, PREFIX "%s.lora_A.weight", module);
        snprintf(b, sizeof b, PREFIX "%s.lora_B.weight", module);
        if (strcmp(name, a) != 0 && strcmp(name, b) != 0) continue;
        TRY(is_targeted(peft, module, &targeted, error));
        if (targeted) return MNEME_OK;
        return json_refuse(&peft->config, "target_modules", error,
                           "does not name `%s`, of which " WEIGHTS " has tensors", module);
    }
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: tensor `%s`: not lora_A or lora_B of one of the model's linear layers",
                     peft->weights.file.path, name);
}

/* Scratch of merging one weight, for the largest of the model. */
struct merge_scratch {
    struct matmul_scratch matmul;
    float *a, *b, *scaled; /* [rank, in], [out, rank], [rank, in] */
    float *delta, *paired; /* [out, in] */
};

static void free_arrays(struct merge_scratch *scratch) {
    float **arrays[] = {&scratch->a, &scratch->b, &scratch->scaled, &scratch->delta,
                        &scratch->paired};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        free(*arrays[i]);
        *arrays[i] = NULL;
    }
}

static mneme_status make_arrays(struct merge_scratch *scratch, size_t out, size_t in, size_t rank,
                                mneme_error *error) {
    scratch->a = memory_allocate(rank * in, sizeof(float));
    scratch->scaled = memory_allocate(rank * in, sizeof(float));
    scratch->b = memory_allocate(out * rank, sizeof(float));
    scratch->delta = memory_allocate(out * in, sizeof(float));
    scratch->paired = memory_allocate(out * in, sizeof(float));
    bool made = scratch->a != NULL && scratch->scaled != NULL && scratch->b != NULL &&
                scratch->delta != NULL && scratch->paired != NULL;
    return made ? MNEME_OK : error_set_memory(error, "merging the adapter");
}

/* W += delta, whose rows are in transformers' order. */
static void add_delta(const struct model *model, struct parameter *p,
                      const struct merge_scratch *scratch) {
    const struct layer *layer = &model->layers[p->layer];
    size_t head_dim = model_head_dim(&model->config);
    const float *delta = scratch->delta;
    if (p == layer->wq || p == layer->wk) {
        hf_layout_pair_rows(p->shape[0] / head_dim, head_dim, p->shape[1], delta, scratch->paired);
        delta = scratch->paired;
    }
    for (size_t i = 0; i < p->count; i++) p->data[i] += delta[i];
}

static mneme_status merge_module(const struct peft *peft, const struct model *model,
                                 struct parameter *p, const char *module,
                                 struct merge_scratch *scratch, mneme_error *error) {
    char a[2 * FOREIGN_NAME_SIZE], b[2 * FOREIGN_NAME_SIZE];
    size_t rank = 0, out = p->shape[0], in = p->shape[1];
    float scale = 0.0f;
    snprintf(a, sizeof a, PREFIX "%s.lora_A.weight", module);
    snprintf(b, sizeof b, PREFIX "%s.lora_B.weight", module);
    if (safetensors_find(&peft->weights, a) == NULL &&
        safetensors_find(&peft->weights, b) == NULL) {
        return MNEME_OK;
    }
    TRY(find_scale(peft, module, &rank, &scale, error));
    const size_t a_shape[2] = {rank, in}, b_shape[2] = {out, rank};
    TRY(safetensors_check_f32(&peft->weights, a, 2, a_shape, error));
    TRY(safetensors_check_f32(&peft->weights, b, 2, b_shape, error));
    TRY(make_arrays(scratch, out, in, rank, error));
    TRY(safetensors_read_f32(&peft->weights, a, 2, a_shape, scratch->a, error));
    TRY(safetensors_read_f32(&peft->weights, b, 2, b_shape, scratch->b, error));
    memset(scratch->delta, 0, p->count * sizeof(float));
    lora_merge(&scratch->matmul, in, out, rank, scale, scratch->a, scratch->b, scratch->scaled,
               scratch->delta);
    add_delta(model, p, scratch);
    return MNEME_OK;
}

static mneme_status merge_all(const struct peft *peft, struct model *model, mneme_error *error) {
    struct merge_scratch scratch = {0};
    mneme_status status = matmul_scratch_open(&scratch.matmul, error);
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        char module[FOREIGN_NAME_SIZE];
        if (!module_of(&model->parameters[i], module)) continue;
        status = merge_module(peft, model, &model->parameters[i], module, &scratch, error);
        free_arrays(&scratch);
    }
    matmul_scratch_close(&scratch.matmul);
    return status;
}

mneme_status peft_merge(const char *folder, struct model *model, mneme_error *error) {
    struct peft peft = {0};
    mneme_status status = peft_open(&peft, folder, error);
    for (size_t i = 0; status == MNEME_OK && i < peft.weights.n; i++) {
        status = check_tensor(&peft, model, peft.weights.entries[i].tensor.name, error);
    }
    THEN(merge_all(&peft, model, error));
    peft_close(&peft);
    return status;
}
