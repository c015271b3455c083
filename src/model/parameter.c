#include "model/parameter.h"

#include <stdlib.h>

#include "simd/simd.h"
#include "tensor/narrow.h"
#include "tensor/tensor_digest.h"

struct layer_sizes layer_sizes(const struct model_config *config) {
    const struct memory_config *memory = &config->memory;
    size_t head_dim = model_head_dim(config);
    return (struct layer_sizes){.vocab = config->vocab_size,
                                .dim = config->dim,
                                .q = config->n_heads * head_dim,
                                .kv = config->n_kv_heads * head_dim,
                                .heads = config->n_heads,
                                .kv_heads = config->n_kv_heads,
                                .head_dim = head_dim,
                                .hidden = model_hidden_dim(config),
                                .query = memory->heads * memory->k_dim,
                                .keys = memory->heads * 2 * memory->n_keys,
                                .half_key = memory->k_dim / 2,
                                .reads = memory->heads * memory->knn,
                                .slots = model_n_slots(config),
                                .value = memory->v_dim,
                                .tied_output = config->tied_output,
                                .qkv_bias = config->attention_bias != ATTENTION_BIAS_NONE,
                                .o_bias = config->attention_bias == ATTENTION_BIAS_QKVO,
                                .mlp_bias = config->mlp_bias,
                                .qk_norm = config->qk_norm};
}

/* Linear layers and tables of rows start at random; no other role but that of keys does. */
#define IS_RANDOM(start)                                   \
    (PARAMETER_STARTS_##start != PARAMETER_STARTS_ZEROS && \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_ONES &&  \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_BIAS &&  \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_KEYS &&  \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_SCALE)
#define IS_ROWS(kind, roles)                 \
    (PARAMETER_##kind != PARAMETER_COMMON || \
     ((roles) & (ROLE_LINEAR | ROLE_OUTPUT | ROLE_EMBEDDING)) != 0)
#define MODEL_PARAMETER(...) LAYER_PARAMETER(__VA_ARGS__)
#define LAYER_PARAMETER(member, name, exists, rows, columns, kind, start, lingua, roles, hf, gguf) \
    _Static_assert(                                                                                \
        IS_RANDOM(start) == IS_ROWS(kind, roles) && IS_RANDOM(lingua) == IS_ROWS(kind, roles),     \
        #member ": start and roles do not fit");                                                   \
    _Static_assert(PARAMETER_##kind == PARAMETER_COMMON || ((roles)&ROLE_MEMORY) != 0,             \
                   #member ": a value table is a memory's");
#include "model/layer_parameters.def"
#undef LAYER_PARAMETER
#undef MODEL_PARAMETER
#define LINE(name, exists, rows, columns, kind, start, lingua, roles, hf, gguf)             \
    (struct parameter_line) {                                                               \
        name, hf, gguf, rows, columns, PARAMETER_##kind,                                    \
            of_lingua ? PARAMETER_STARTS_##lingua : PARAMETER_STARTS_##start, roles, exists \
    }

void layer_parameter_lines(const struct model_config *config, bool ffn, bool memory,
                           struct parameter_line lines[LAYER_PARAMETERS]) {
    const struct layer_sizes sizes = layer_sizes(config), *s = &sizes;
    const struct memory_config *m = &config->memory;
    const bool of_lingua = config->init == INIT_OF_LINGUA;
    const bool beside = m->placement == MEMORY_BESIDE;
#define OF_MEMORY(name) (beside ? "memory." name : "feed_forward." name)
#define MODEL_PARAMETER(...)
#define LAYER_PARAMETER(member, ...) lines[LAYER_##member] = LINE(__VA_ARGS__);
#include "model/layer_parameters.def"
#undef LAYER_PARAMETER
#undef MODEL_PARAMETER
#undef OF_MEMORY
}

void model_parameter_lines(const struct model_config *config,
                           struct parameter_line lines[MODEL_PARAMETERS]) {
    const struct layer_sizes sizes = layer_sizes(config), *s = &sizes;
    const bool of_lingua = config->init == INIT_OF_LINGUA;
#define MODEL_PARAMETER(member, ...) lines[MODEL_##member] = LINE(__VA_ARGS__);
#define LAYER_PARAMETER(...)
#include "model/layer_parameters.def"
#undef LAYER_PARAMETER
#undef MODEL_PARAMETER
}

/* Numbers that are looked at at a time. */
#define BLOCK ((size_t)1 << 12)

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* A value table's numbers, row by row. */
static void read_rows(const struct parameter *p, size_t first, size_t n, float *numbers) {
    const struct row_table table = parameter_rows(p);
    const size_t width = p->shape[1];
    for (size_t done = 0; done < n;) {
        const size_t row = (first + done) / width, column = (first + done) % width;
        const size_t count = smaller(width - column, n - done);
        const struct stored from = row_table_row(&table, width, (int32_t)row);
        simd()->widen(count, stored_from(from, column), numbers + done);
        done += count;
    }
}

void parameter_read(const struct parameter *parameter, size_t first, size_t n, float *numbers) {
    if (parameter->changed != NULL) {
        read_rows(parameter, first, n, numbers);
    } else {
        simd()->widen(n, stored_from(parameter_stored(parameter), first), numbers);
    }
}

bool parameter_is_finite(const struct parameter *parameter) {
    const struct changed_rows *changed = parameter->changed;
    const struct stored stored = parameter_stored(parameter);
    if (tensor_first_not_finite(stored, parameter->count) != parameter->count) return false;
    return changed == NULL || simd()->all_finite(changed->n * parameter->shape[1], changed->rows);
}

/* Whether the numbers lie in memory as a file of that type holds them. */
static bool lies_as(const struct parameter *p, enum stored_type type) {
    return parameter_stored(p).type == type && (p->changed == NULL || p->changed->n == 0);
}

enum stored_type parameter_own_type(const struct parameter *parameter) {
    const enum stored_type type = parameter->file_type;
    if (lies_as(parameter, type)) return type;
    for (size_t i = 0; i < parameter->count; i += BLOCK) {
        float numbers[BLOCK];
        const size_t n = smaller(BLOCK, parameter->count - i);
        parameter_read(parameter, i, n, numbers);
        if (!narrow_is_exact(type, n, numbers)) return STORED_F32;
    }
    return type;
}

static mneme_status refuse_beyond(const char *name, size_t element, float number,
                                  enum stored_type as, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "tensor `%s`: number %zu is %g, more than %s can hold",
                     name, element, (double)number, tensor_type_name(tensor_type_of(as)));
}

/* Refuses numbers [first, first + n) of a tensor that become infinite. */
static mneme_status check_block(const char *name, size_t first, size_t n, const float *numbers,
                                enum stored_type as, mneme_error *error) {
    const size_t i = narrow_first_beyond(as, n, numbers);
    return i == n ? MNEME_OK : refuse_beyond(name, first + i, numbers[i], as, error);
}

static mneme_status check_range(const struct parameter *p, enum stored_type as,
                                mneme_error *error) {
    for (size_t i = 0; i < p->count && as != STORED_F32; i += BLOCK) {
        float numbers[BLOCK];
        const size_t n = smaller(BLOCK, p->count - i);
        parameter_read(p, i, n, numbers);
        TRY(check_block(p->name, i, n, numbers, as, error));
    }
    return MNEME_OK;
}

static void narrow_block(enum tensor_type type, size_t n, const float *numbers, void *elements) {
    enum stored_type as = STORED_F32;
    (void)tensor_type_stored(type, &as);
    narrow_floats(as, n, numbers, elements);
}

/* struct tensor's `read` of a parameter. */
static void read_parameter(const void *data, enum tensor_type type, size_t first, size_t n,
                           void *elements) {
    for (size_t i = 0; i < n; i += BLOCK) {
        float numbers[BLOCK];
        const size_t count = smaller(BLOCK, n - i);
        parameter_read(data, first + i, count, numbers);
        narrow_block(type, count, numbers, (char *)elements + i * tensor_type_size(type));
    }
}

/* The same of floats. */
static void read_floats(const void *data, enum tensor_type type, size_t first, size_t n,
                        void *elements) {
    narrow_block(type, n, (const float *)data + first, elements);
}

mneme_status parameter_file_tensor(const struct parameter *parameter, const enum stored_type *as,
                                   struct tensor *tensor, mneme_error *error) {
    const enum stored_type type = as == NULL ? parameter_own_type(parameter) : *as;
    *tensor = parameter_tensor(parameter, NULL);
    tensor->type = tensor_type_of(type);
    tensor->data = parameter_stored(parameter).data;
    if (lies_as(parameter, type)) return MNEME_OK;
    tensor->data = parameter;
    tensor->read = read_parameter;
    return as == NULL ? MNEME_OK : check_range(parameter, type, error);
}

mneme_status parameter_narrow_tensor(struct tensor *tensor, size_t count, enum stored_type as,
                                     mneme_error *error) {
    tensor->type = tensor_type_of(as);
    tensor->read = as == STORED_F32 ? NULL : read_floats;
    if (as == STORED_F32) return MNEME_OK;
    return check_block(tensor->name, 0, count, tensor->data, as, error);
}

mneme_status parameter_digest_list(size_t n, struct parameter *const *parameters,
                                   struct digest *digest, mneme_error *error) {
    struct tensor *tensors = calloc(n + 1, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, "a digest");
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n; i++) {
        THEN(parameter_file_tensor(parameters[i], NULL, &tensors[i], error));
    }
    THEN(tensor_digest_list(tensors, n, digest, NULL, error));
    free(tensors);
    return status;
}
