#ifndef PERF_COMMON_STEP_WORK_H
#define PERF_COMMON_STEP_WORK_H

#include "generate/generate.h"
#include "model/batch_builder.h"
#include "smf/sparse_step.h"
#include "train/optimizer.h"

/* Whole steps of a model on a made-up batch, for perf/step.c. */

/* STEP_MEMORY trains the memory alone, all else frozen (the recipe's `pretrain.train`). */
enum step_kind { STEP_PRETRAIN, STEP_FULL, STEP_LORA, STEP_SMF, STEP_GENERATE, STEP_MEMORY };

struct step_shape {
    const char *name;
    enum step_kind kind;
    struct model_config config;
    size_t sequences, length; /* of the batch, or the prompts */
    size_t count;             /* LoRA's rank, SMF's t, tokens to generate; else 0 */
    bool quick;
};

enum {
    STEP_SEED = 1,
    STEP_TOKEN_STREAM = 1 << 16, /* token i of sequence s: draw i of stream STEP_TOKEN_STREAM + s */
    STEP_BACKGROUND_STREAM = 1,  /* batches that read slot i: draw i */
    STEP_BACKGROUND_BATCHES = 1 << 20 /* so many that hardly two slots have the same score */
};

#define STEP_LR 1e-3f
#define STEP_SMF_LR 2.0f
#define STEP_ALPHA 16.0f

struct step_work {
    const struct step_shape *shape;
    struct model model;
    struct pass pass;
    struct batch_builder builder;
    struct optimizer optimizer;
    struct adapter_set adapters;
    struct background background;
    struct sparse_stepper stepper;
    struct generator generator;
    struct token_span *prompts; /* [sequences] */
    int32_t *generated;         /* [sequences, count] */
    size_t *lengths;            /* [sequences] */
    float loss;
    size_t n_chosen; /* slots that SMF changed */
};

/* Ends the program on failure, as do the others. */
struct step_work *step_work_open(const struct step_shape *shape);
void step_work_close(struct step_work *work);

/* One step: work->loss or work->generated. */
void step_work_run(struct step_work *work);

/* The model that the work starts from, as a folder. */
void step_work_save(const struct step_shape *shape, const char *directory);

#endif
