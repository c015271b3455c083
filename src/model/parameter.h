#ifndef MODEL_PARAMETER_H
#define MODEL_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

#define PARAMETER_NAME_SIZE 80
#define PARAMETER_MAX_RANK 2

struct adapter;

/* A named tensor of a model. Its gradient and moments belong to whoever trains it. */
struct parameter {
    char name[PARAMETER_NAME_SIZE]; /* as in Meta Lingua */
    size_t rank;
    size_t shape[PARAMETER_MAX_RANK];
    size_t count;
    bool is_values;  /* a memory layer's value table: a parameter group of its own */
    float *data;     /* [shape] */
    float *gradient; /* [shape], or NULL: frozen */
    float *moment1;  /* AdamW's moments, or NULL */
    float *moment2;
    struct adapter *adapter; /* low-rank adapter of a linear layer's weight, or NULL */
};

#endif
