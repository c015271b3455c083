#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include <stddef.h>

#include "base/memory.h"
#include "model/adapter.h"
#include "model/gradients.h"
#include "model/model.h"
#include "model/pass.h"
#include "nn/adamw.h"

/* AdamW (Loshchilov & Hutter 2017) over a set of parameters, with a group of its own for memory
 * values and clipping by gradient norms. */

struct moments {
    float *first, *second;
};

struct optimizer {
    struct adamw_settings settings;
    size_t step; /* steps taken */
    size_t n_trained;
    struct parameter **trained; /* [n_trained] */
    struct moments *moments;    /* [n_trained], each [the parameter's shape] */
    struct gradients gradients; /* of the trained, for the backward passes of a step */
    struct arena arena;
};

/* Trains the listed parameters of a model or of adapters, with zero moments. The list is copied. */
mneme_status optimizer_open(struct optimizer *optimizer, const struct adamw_settings *settings,
                            struct parameter *const *trained, size_t n_trained, mneme_error *error);
void optimizer_close(struct optimizer *optimizer);

void optimizer_zero_gradients(struct optimizer *optimizer);

/* L2 norms of gradients, which decide the clipping: that of all with CLIP_TOGETHER, in both
 * members; else that of the value tables and that of all others. */
struct gradient_norms {
    float common, values;
};

/* Canonical sums of squares over blocks of 65,536 elements of each parameter, added in the
 * parameters' order. */
struct gradient_norms optimizer_gradient_norms(const struct optimizer *optimizer);

/* One AdamW step with the given learning rates. */
void optimizer_step(struct optimizer *optimizer, float lr, float values_lr,
                    struct gradient_norms norms);

/* What of a model is trained. */
enum trained_part {
    TRAIN_ALL,
    TRAIN_MEMORY, /* the memory layers' own parameters: queries, keys, values, projections, scale */
    TRAIN_MEMORY_AND_AROUND, /* and attention, norms and feed-forward network of their layers */
    TRAINED_PART_COUNT
};

/* "all", "memory", "memory-and-around" */
extern const char *const trained_part_names[TRAINED_PART_COUNT];

/* How far a backward pass has to go for it. */
struct backward_extent optimizer_extent(const struct model *model, enum trained_part part);

/* Lists the parameters of a part; the caller owns the list. */
mneme_status optimizer_list_part(struct model *model, enum trained_part part,
                                 struct parameter ***list, size_t *n, mneme_error *error);

/* Lists all parameters of a model; those of its memory layers (queries, keys, values and
 * projections) alone; or its adapters' instead. The caller owns the list. */
mneme_status optimizer_list_model(struct model *model, struct parameter ***list, size_t *n,
                                  mneme_error *error);
mneme_status optimizer_list_memory(struct model *model, struct parameter ***list, size_t *n,
                                   mneme_error *error);
mneme_status optimizer_list_adapters(struct adapter_set *set, struct parameter ***list, size_t *n,
                                     mneme_error *error);

#endif
