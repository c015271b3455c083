#include "perf/common/step_work.h"

#include <stdlib.h>

#include "base/random.h"
#include "perf/common/bench.h"
#include "train/step.h"

static void must(mneme_status status, const mneme_error *error) {
    if (status != MNEME_OK) bench_stop("perf_step: %s", error->message);
}

static void fill_batch(struct step_work *w) {
    const struct step_shape *shape = w->shape;
    uint32_t vocab_size = (uint32_t)shape->config.vocab_size;
    int32_t *tokens = bench_allocate(shape->length + 1, sizeof *tokens);
    mneme_error error;
    must(batch_builder_open(&w->builder, shape->sequences * shape->length, &error), &error);
    for (size_t s = 0; s < shape->sequences; s++) {
        for (size_t i = 0; i <= shape->length; i++) {
            tokens[i] = (int32_t)random_below(STEP_SEED, STEP_TOKEN_STREAM + s, i, vocab_size);
        }
        if (!batch_builder_add(&w->builder, shape->length, tokens, tokens + 1, 0)) {
            bench_stop("perf_step: %s: the batch does not fit", shape->name);
        }
    }
    free(tokens);
}

static enum trained_part part_of(const struct step_shape *shape) {
    return shape->kind == STEP_MEMORY ? TRAIN_MEMORY : TRAIN_ALL;
}

static void open_dense(struct step_work *w) {
    const struct adamw_settings settings = {.beta1 = 0.9f,
                                            .beta2 = 0.95f,
                                            .eps = 1e-8f,
                                            .weight_decay = 0.1f,
                                            .values_weight_decay = 0.1f,
                                            .clip = 1.0f};
    struct parameter **list;
    size_t n, tokens = w->builder.max_tokens;
    mneme_error error;
    if (w->shape->kind == STEP_LORA) {
        must(adapter_set_open(&w->adapters, &w->model, w->shape->count, STEP_ALPHA, 0,
                              w->model.config.n_layers, tokens, STEP_SEED, &error),
             &error);
        w->pass.adapters = &w->adapters;
        must(optimizer_list_adapters(&w->adapters, &list, &n, &error), &error);
    } else {
        must(optimizer_list_part(&w->model, part_of(w->shape), &list, &n, &error), &error);
    }
    must(optimizer_open(&w->optimizer, &settings, list, n, &error), &error);
    free(list);
}

static void open_sparse(struct step_work *w) {
    size_t n_slots = model_n_slots(&w->model.config) * w->model.n_tables;
    mneme_error error;
    must(background_open(&w->background, n_slots, &error), &error);
    w->background.n_batches = STEP_BACKGROUND_BATCHES;
    for (size_t i = 0; i < n_slots; i++) {
        w->background.batches_reading[i] = (int32_t)random_below(STEP_SEED, STEP_BACKGROUND_STREAM,
                                                                 i, STEP_BACKGROUND_BATCHES + 1);
    }
    struct sparse_settings settings = {.n_trainable = w->shape->count, .lr = STEP_SMF_LR};
    must(sparse_stepper_open(&w->stepper, &w->model, &w->background, &settings,
                             w->builder.max_tokens, &error),
         &error);
}

static void open_generator(struct step_work *w) {
    size_t n = w->shape->sequences, length = w->shape->length;
    mneme_error error;
    must(generator_open(&w->generator, &w->model, n, length + w->shape->count, &error), &error);
    w->prompts = bench_allocate(n, sizeof *w->prompts);
    w->generated = bench_allocate(n * w->shape->count, sizeof *w->generated);
    w->lengths = bench_allocate(n, sizeof *w->lengths);
    for (size_t s = 0; s < n; s++) {
        w->prompts[s] = (struct token_span){w->builder.tokens + s * length, length};
    }
}

/* Weights that stay as they are are packed once, as the trainer does. */
static void open_training(struct step_work *w) {
    enum step_kind kind = w->shape->kind;
    mneme_error error;
    must(pass_open(&w->pass, &w->model, w->builder.max_tokens, true, &error), &error);
    if (kind == STEP_SMF || kind == STEP_LORA) {
        size_t lowest = kind == STEP_SMF ? w->model.config.memory.layers[0] : 0;
        must(pass_pack(&w->pass, lowest, &error), &error);
    }
    if (kind == STEP_SMF) {
        open_sparse(w);
    } else {
        open_dense(w);
    }
    if (kind == STEP_MEMORY) {
        must(pass_pack_frozen(&w->pass, w->model.config.memory.layers[0], &w->optimizer.gradients,
                              &error),
             &error);
    }
}

struct step_work *step_work_open(const struct step_shape *shape) {
    struct step_work *w = bench_allocate(1, sizeof *w);
    mneme_error error;
    w->shape = shape;
    must(model_open(&shape->config, &w->model, &error), &error);
    model_initialize(&w->model, STEP_SEED);
    fill_batch(w);
    if (shape->kind == STEP_GENERATE) {
        open_generator(w);
    } else {
        open_training(w);
    }
    return w;
}

void step_work_close(struct step_work *w) {
    if (w->shape->kind == STEP_GENERATE) {
        generator_close(&w->generator);
    } else {
        if (w->shape->kind == STEP_SMF) {
            sparse_stepper_close(&w->stepper);
            background_close(&w->background);
        }
        optimizer_close(&w->optimizer);
        adapter_set_close(&w->adapters);
        pass_close(&w->pass);
    }
    batch_builder_close(&w->builder);
    model_close(&w->model);
    free(w->prompts);
    free(w->generated);
    free(w->lengths);
    free(w);
}

static void generate(struct step_work *w) {
    mneme_error error;
    must(generate_greedy(&w->generator, w->shape->sequences, w->prompts, w->shape->count,
                         (struct token_span){0}, w->generated, w->lengths, &error),
         &error);
}

static void train(struct step_work *w) {
    struct batch batch = batch_builder_whole(&w->builder);
    mneme_error error;
    if (w->shape->kind == STEP_SMF) {
        struct sparse_step_result result;
        must(sparse_step_run(&w->stepper, &w->pass, &batch, false, &result, &error), &error);
        w->loss = result.loss;
        w->n_chosen = result.n_chosen;
        return;
    }
    struct step_result result;
    must(
        step_run(&w->pass, &w->optimizer, &batch, 1, optimizer_extent(&w->model, part_of(w->shape)),
                 STEP_LR, STEP_LR, NULL, &result, &error),
        &error);
    w->loss = result.loss;
}

void step_work_run(struct step_work *w) {
    if (w->shape->kind == STEP_GENERATE) {
        generate(w);
    } else {
        train(w);
    }
}

void step_work_save(const struct step_shape *shape, const char *directory) {
    struct model model;
    mneme_error error;
    must(model_open(&shape->config, &model, &error), &error);
    model_initialize(&model, STEP_SEED);
    must(model_save(&model, directory, &error), &error);
    model_close(&model);
}
