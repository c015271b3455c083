#include "method/base_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

mneme_status base_copy_keep(struct base_copy *copy, const struct model *model, mneme_error *error) {
    if (copy->parameters == NULL) copy->parameters = memory_allocate(model->arena.size, 1);
    if (copy->parameters == NULL) return error_set_memory(error, "the base model");
    memcpy(copy->parameters, model->arena.base, model->arena.size);
    return MNEME_OK;
}

void base_copy_restore(const struct base_copy *copy, struct model *model) {
    memcpy(model->arena.base, copy->parameters, model->arena.size);
}

void base_copy_free(struct base_copy *copy) {
    free(copy->parameters);
    *copy = (struct base_copy){0};
}
