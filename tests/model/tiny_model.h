#ifndef TESTS_MODEL_TINY_MODEL_H
#define TESTS_MODEL_TINY_MODEL_H

/* A small model, a pass and a ragged batch for tests of the model floor. */

#include "model/batch_builder.h"
#include "model/model.h"
#include "model/pass.h"

struct tiny_model {
    struct model model;
    struct pass pass;
    struct batch_builder builder;
    struct batch batch;
};

/* Grouped heads, a memory layer in the middle, sizes that are no multiples of the lanes. */
struct model_config tiny_model_config(void);

/* Model with seed 7 and a batch of sequences of different lengths; asserts on failure. */
void tiny_model_open(struct tiny_model *tiny, const struct model_config *config);
void tiny_model_close(struct tiny_model *tiny);

#endif
