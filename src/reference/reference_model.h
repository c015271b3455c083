#ifndef REFERENCE_REFERENCE_MODEL_H
#define REFERENCE_REFERENCE_MODEL_H

#include "model/batch_builder.h"
#include "model/model.h"
#include "reference/reference_case.h"
#include "train/optimizer.h"
#include "train/schedule.h"

/* A case's model, from `config` in the manifest and the inputs that have its parameters' names
 * (others are zero), with what a pass needs. */
struct reference_model {
    struct model model;
    struct pass pass;
    struct batch_builder builder;
    struct optimizer optimizer;
};

/* For at most max_tokens tokens at a time. Close it whatever happened. */
void reference_model_open(struct reference_case *c, struct reference_model *m, size_t max_tokens);
/* The model in the folder that the case names as `model`, for forward passes. */
void reference_model_load(struct reference_case *c, struct reference_model *m, size_t max_tokens);
void reference_model_close(struct reference_model *m);

/* An optimizer, its gradients zero, for these parameters or (NULL) all of the model's. */
void reference_model_train(struct reference_case *c, struct reference_model *m,
                           const struct adamw_settings *settings, struct parameter **list,
                           size_t n);

/* Batch `index` of inputs PREFIXtokens and PREFIXtargets [batches, n] and the common `starts`;
 * without targets where the file has none. The builder's arrays. */
struct batch reference_model_batch(struct reference_case *c, struct reference_model *m,
                                   const char *prefix, size_t index);
/* Tokens of a batch. */
size_t reference_batch_tokens(struct reference_case *c);

/* What memory layer l chose in the last pass over n tokens: query, scores and slots. */
void reference_compare_lookup(struct reference_case *c, const struct reference_model *m, size_t l,
                              size_t n);
/* The gradient of every trained parameter, `d.NAME`, that the file has. */
void reference_compare_gradients(struct reference_case *c, const struct optimizer *optimizer);

/* From the manifest. */
struct adamw_settings reference_adamw(struct reference_case *c);
struct schedule reference_schedule(struct reference_case *c);

#endif
