#ifndef MODEL_PARAMETER_H
#define MODEL_PARAMETER_H

#include <stddef.h>

#define PARAMETER_NAME_SIZE 80
#define PARAMETER_MAX_RANK 2

struct adapter;

/* Tables of memory values are a parameter group of their own. All tables of a kind lie one after
 * the other, in the model as in what trains it, so that a slot of any table is one row number. */
enum parameter_kind {
    PARAMETER_COMMON,
    PARAMETER_VALUES,  /* a memory layer's value table; PEER's values_v */
    PARAMETER_VALUES_U /* PEER's values_u; row numbers as in the table that it goes with */
};

/* A named tensor of a model. Its gradient and moments belong to whoever trains it. */
struct parameter {
    char name[PARAMETER_NAME_SIZE]; /* as in Meta Lingua */
    size_t rank;
    size_t shape[PARAMETER_MAX_RANK];
    size_t count;
    enum parameter_kind kind;
    float *data;     /* [shape] */
    float *gradient; /* [shape], or NULL: frozen */
    float *moment1;  /* AdamW's moments, or NULL */
    float *moment2;
    struct adapter *adapter; /* low-rank adapter of a linear layer's weight, or NULL */
};

#endif
