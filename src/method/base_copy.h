#ifndef METHOD_BASE_COPY_H
#define METHOD_BASE_COPY_H

#include "base/error.h"
#include "model/model.h"

/* The parameters of a pretrained model, from which every finetuning starts. */
struct base_copy {
    void *parameters; /* as in the model's arena; NULL: none is kept */
};

/* Keeps the model's parameters in place of those kept before. */
mneme_status base_copy_keep(struct base_copy *copy, const struct model *model, mneme_error *error);
/* Gives the model back what was kept of it. */
void base_copy_restore(const struct base_copy *copy, struct model *model);
void base_copy_free(struct base_copy *copy);

#endif
