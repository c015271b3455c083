/* Whole steps: pretraining, full finetuning, LoRA, sparse memory finetuning, a memory trained in a
 * frozen model, generation.
 * `perf_step --save DIR CASE` writes the model that the case starts from. */

#include <stdio.h>
#include <string.h>

#include "perf/common/bench.h"
#include "perf/common/step_work.h"

/* The model of the recipe tiny. */
#define TINY_MODEL                                                                       \
    {                                                                                    \
        .vocab_size = 768, .dim = 128, .n_layers = 4, .n_heads = 4, .n_kv_heads = 4,     \
        .multiple_of = 32, .max_seq_len = 64, .norm_eps = 1e-5f, .rope_theta = 10000.0f, \
        .memory = {                                                                      \
            .n_layers = 1,                                                               \
            .layers = {2},                                                               \
            .n_keys = 128,                                                               \
            .heads = 4,                                                                  \
            .knn = 8,                                                                    \
            .k_dim = 64,                                                                 \
            .v_dim = 128,                                                                \
            MEMORY_PLUS                                                                  \
        }                                                                                \
    }

/* Twelve layers of dim 576 with a memory of keys^2 slots in the middle. */
#define MIDDLE_MODEL(keys)                                                                \
    {                                                                                     \
        .vocab_size = 8192, .dim = 576, .n_layers = 12, .n_heads = 9, .n_kv_heads = 9,    \
        .multiple_of = 64, .max_seq_len = 256, .norm_eps = 1e-5f, .rope_theta = 10000.0f, \
        .memory = {                                                                       \
            .n_layers = 1,                                                                \
            .layers = {6},                                                                \
            .n_keys = (keys),                                                             \
            .heads = 4,                                                                   \
            .knn = 32,                                                                    \
            .k_dim = 256,                                                                 \
            .v_dim = 576,                                                                 \
            MEMORY_PLUS                                                                   \
        }                                                                                 \
    }

/* One wide layer. */
#define WIDE_MODEL                                                                       \
    {                                                                                    \
        .vocab_size = 256, .dim = 1024, .n_layers = 1, .n_heads = 16, .n_kv_heads = 16,  \
        .multiple_of = 64, .max_seq_len = 256, .norm_eps = 1e-5f, .rope_theta = 10000.0f \
    }

/* SmolLM2-135M with a memory of 65,536 slots beside the feed-forward network of layer 20, as the
 * recipe memory-training has it. */
#define SMOLLM2_MODEL                                                                      \
    {                                                                                      \
        .vocab_size = 49152, .dim = 576, .n_layers = 30, .n_heads = 9, .n_kv_heads = 3,    \
        .multiple_of = 32, .max_seq_len = 256, .norm_eps = 1e-5f, .rope_theta = 100000.0f, \
        .tied_output = true, .memory = {                                                   \
            .n_layers = 1,                                                                 \
            .layers = {20},                                                                \
            .placement = MEMORY_BESIDE,                                                    \
            .scale = 1.0f,                                                                 \
            .n_keys = 256,                                                                 \
            .heads = 4,                                                                    \
            .knn = 16,                                                                     \
            .k_dim = 256,                                                                  \
            .v_dim = 576,                                                                  \
            .query_bias = true                                                             \
        }                                                                                  \
    }

static const struct step_shape shapes[] = {
    {"pretrain/tiny", STEP_PRETRAIN, TINY_MODEL, 64, 32, 0, true},
    {"pretrain/dim576", STEP_PRETRAIN, MIDDLE_MODEL(256), 8, 256, 0, false},
    {"pretrain/dim1024", STEP_PRETRAIN, WIDE_MODEL, 4, 256, 0, false},
    {"smf/tiny", STEP_SMF, TINY_MODEL, 32, 24, 300, true},
    {"smf/dim576", STEP_SMF, MIDDLE_MODEL(1024), 64, 64, 500, false},
    {"full/tiny", STEP_FULL, TINY_MODEL, 32, 24, 0, true},
    {"full/dim576", STEP_FULL, MIDDLE_MODEL(256), 64, 64, 0, false},
    {"lora/tiny", STEP_LORA, TINY_MODEL, 32, 24, 8, true},
    {"lora/dim576", STEP_LORA, MIDDLE_MODEL(256), 64, 64, 8, false},
    {"memory/tiny", STEP_MEMORY, TINY_MODEL, 32, 24, 0, true},
    {"memory/smollm2", STEP_MEMORY, SMOLLM2_MODEL, 4, 256, 0, false},
    {"generate/tiny", STEP_GENERATE, TINY_MODEL, 32, 24, 32, true},
    {"generate/dim576", STEP_GENERATE, MIDDLE_MODEL(256), 1, 32, 64, false},
    {"generate/dim576x16", STEP_GENERATE, MIDDLE_MODEL(256), 16, 32, 64, false}};

#define N_SHAPES (sizeof shapes / sizeof *shapes)

static bool has_memory(const struct step_shape *shape) {
    return shape->config.memory.n_layers > 0;
}

/* Weights of the linear layers of layer l. */
static double layer_weights(const struct step_shape *shape, size_t l) {
    const struct model_config *config = &shape->config;
    const struct memory_config *memory = &config->memory;
    double dim = (double)config->dim, kv = (double)(config->n_kv_heads * model_head_dim(config));
    double sum = 2.0 * dim * (dim + kv);
    if (model_layer_has_ffn(config, l)) sum += 3.0 * dim * (double)model_hidden_dim(config);
    if (!model_layer_has_memory(config, l)) return sum;
    const size_t projections = (size_t)memory->swilu_projection + (size_t)memory->value_proj;
    return sum + dim * (double)(memory->heads * memory->k_dim + projections * memory->v_dim);
}

/* Of the linear layers of a memory, which train with it: the query's and, each twice, the
 * projections, through which a gradient goes too. */
static double memory_weights(const struct step_shape *shape) {
    const struct memory_config *memory = &shape->config.memory;
    const size_t through = 2 * ((size_t)memory->swilu_projection + (size_t)memory->value_proj);
    return (double)(shape->config.dim * (memory->heads * memory->k_dim + through * memory->v_dim));
}

/* Whether the backward pass goes down to the memory alone. */
static bool ends_at_memory(const struct step_shape *shape) {
    return shape->kind == STEP_SMF || shape->kind == STEP_MEMORY;
}

static double layers_weights(const struct step_shape *shape, size_t first) {
    double sum = 0.0;
    for (size_t l = first; l < shape->config.n_layers; l++) sum += layer_weights(shape, l);
    return sum;
}

static double keys_weights(const struct step_shape *shape) {
    const struct memory_config *memory = &shape->config.memory;
    return (double)(memory->heads * memory->n_keys * memory->k_dim * memory->n_layers);
}

static double output_weights(const struct step_shape *shape) {
    return (double)(shape->config.vocab_size * shape->config.dim);
}

/* Multiplications and additions of causal attention for the positions first .. end - 1, a layer. */
static double attention_flops(const struct step_shape *shape, size_t first, size_t end) {
    double pairs = 0.5 * (double)(end * (end + 1) - first * (first + 1));
    return 4.0 * pairs * (double)shape->config.dim * (double)shape->sequences;
}

/* Of the matrix products alone: forward 2 a weight and token; backward 2 for the input's gradient
 * where a layer below needs it and 2 for the weight's where it trains; attention as much as two
 * weights' products forward and four backward. Scores of keys have products forward only. */
static double training_flops(const struct step_shape *shape) {
    const struct model_config *config = &shape->config;
    double tokens = (double)(shape->sequences * shape->length);
    size_t lowest = ends_at_memory(shape) ? config->memory.layers[0] + 1 : 0;
    bool weights_train = shape->kind == STEP_PRETRAIN || shape->kind == STEP_FULL;
    double backward = layers_weights(shape, lowest) + output_weights(shape);
    if (shape->kind == STEP_SMF) backward += (double)(config->dim * config->memory.v_dim);
    if (shape->kind == STEP_MEMORY) backward += memory_weights(shape);
    double weights = layers_weights(shape, 0) + keys_weights(shape) + output_weights(shape);
    weights += (weights_train ? 2.0 : 1.0) * backward;
    double attention = attention_flops(shape, 0, shape->length);
    double layers = (double)config->n_layers + 2.0 * (double)(config->n_layers - lowest);
    return 2.0 * tokens * weights + layers * attention;
}

/* The prompt, then a token at a time; logits are computed for the last token of a pass only. */
static double generation_flops(const struct step_shape *shape) {
    double sequences = (double)shape->sequences, n_new = (double)shape->count;
    double tokens = sequences * ((double)shape->length + n_new - 1.0);
    double weights = layers_weights(shape, 0) + keys_weights(shape);
    double attention = attention_flops(shape, 0, shape->length + shape->count - 1);
    return 2.0 * (tokens * weights + sequences * n_new * output_weights(shape)) +
           (double)shape->config.n_layers * attention;
}

/* What cannot stay in a cache. Training: AdamW reads four and writes three numbers a parameter, SMF
 * reads the weights. Generation reads the weights for every new token. All read the values' rows
 * once, and once more for the weights' gradient when something below the values trains. */
static double bytes(const struct step_shape *shape) {
    const struct model_config *config = &shape->config;
    const struct memory_config *memory = &config->memory;
    bool generating = shape->kind == STEP_GENERATE;
    double rows = (double)(shape->sequences * (shape->length + (generating ? shape->count : 0)) *
                           memory->n_layers * memory->heads * memory->knn);
    double read = 4.0 * rows * (double)memory->v_dim;
    double weights = layers_weights(shape, 0) + keys_weights(shape) + output_weights(shape);
    if (generating) return 4.0 * weights * (double)shape->count + read;
    if (shape->kind == STEP_SMF) return 4.0 * weights + read;
    if (shape->kind == STEP_LORA) return 4.0 * weights + 2.0 * read;
    if (shape->kind == STEP_MEMORY) {
        double trained = memory_weights(shape) + keys_weights(shape) +
                         (double)(model_n_slots(config) * memory->v_dim);
        return 4.0 * weights + 28.0 * trained + 2.0 * read;
    }
    double values = has_memory(shape) ? (double)(model_n_slots(config) * memory->v_dim) : 0.0;
    return 28.0 * (weights + output_weights(shape) + values) + 2.0 * read;
}

static double flops(const struct step_shape *shape) {
    return shape->kind == STEP_GENERATE ? generation_flops(shape) : training_flops(shape);
}

static void describe(size_t i, struct bench_case *c) {
    static const char *const kinds[] = {"pretrain", "full", "lora", "smf", "generate", "memory"};
    static const char *const counts[] = {NULL, NULL, "rank", "t", "new_tokens", NULL};
    const struct step_shape *shape = &shapes[i];
    enum step_kind kind = shape->kind;
    snprintf(c->name, sizeof c->name, "%s", shape->name);
    c->flops = flops(shape);
    c->bytes = bytes(shape);
    c->quick = shape->quick;
    bench_text(c, "kind", kinds[kind]);
    bench_number(c, "sequences", shape->sequences);
    bench_number(c, "length", shape->length);
    bench_number(c, "slots", has_memory(shape) ? model_n_slots(&shape->config) : 0);
    if (counts[kind] != NULL) bench_number(c, counts[kind], shape->count);
    bench_number(c, "seed", STEP_SEED);
    bench_number(c, "token_stream", STEP_TOKEN_STREAM);
    bench_number(c, "background_stream", STEP_BACKGROUND_STREAM);
    bench_number(c, "background_batches", STEP_BACKGROUND_BATCHES);
    bench_number(c, "adapter_stream", ADAPTER_STREAM);
    bench_text(c, "lr", kind == STEP_SMF ? "2" : "1e-3");
}

static void *set_up(size_t i) {
    return step_work_open(&shapes[i]);
}

static void tear_down(void *work) {
    step_work_close(work);
}

static void run(void *work) {
    step_work_run(work);
}

static void run_fma_roof(void *user) {
    const struct step_work *work = user;
    bench_fma_roof(flops(work->shape));
}

static size_t outputs(void *user, struct bench_output outputs[BENCH_MAX_OUTPUTS]) {
    const struct step_work *work = user;
    const struct step_shape *shape = work->shape;
    if (shape->kind == STEP_GENERATE) {
        outputs[0] =
            (struct bench_output){"tokens", shape->sequences * shape->count, NULL, work->generated};
        return 1;
    }
    outputs[0] = (struct bench_output){"loss", 1, &work->loss, NULL};
    if (shape->kind != STEP_SMF) return 1;
    size_t n = work->n_chosen * shape->config.memory.v_dim;
    outputs[1] = (struct bench_output){"gradients", n, work->stepper.values, NULL};
    return 2;
}

static int save(const char *directory, const char *name) {
    for (size_t i = 0; i < N_SHAPES; i++) {
        if (strcmp(shapes[i].name, name) != 0) continue;
        step_work_save(&shapes[i], directory);
        return 0;
    }
    fprintf(stderr, "perf_step: no case '%s' (see --list)\n", name);
    return 2;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {{.name = "mneme", .run = run},
                                                    {.name = "fma_roof",
                                                     .run = run_fma_roof,
                                                     .target_least = 0.8,
                                                     .target_cases = "pretrain/dim576"}};
    static const struct bench_program program = {
        .name = "step",
        .what = "whole steps, against the arithmetic's limit for their matrix products",
        .n_cases = N_SHAPES,
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = sizeof contestants / sizeof *contestants};
    if (argc == 4 && strcmp(argv[1], "--save") == 0) return save(argv[2], argv[3]);
    return bench_main(&program, argc, argv);
}
