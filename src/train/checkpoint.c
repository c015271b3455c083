#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/model.h"
#include "tensor/safetensors.h"

#define MOMENT_NAME_SIZE (PARAMETER_NAME_SIZE + 24)

/* The tensors of a checkpoint: parameters, then moments, then the two integers. */
struct contents {
    size_t n;
    struct tensor *tensors;
    char (*names)[MOMENT_NAME_SIZE];
};

static const char *moment_name(char *name, int moment, const struct parameter *parameter) {
    snprintf(name, MOMENT_NAME_SIZE, "moment%d.%s", moment, parameter->name);
    return name;
}

static float *moment_of(const struct optimizer *optimizer, size_t i, int moment) {
    return moment == 1 ? optimizer->moments[i].first : optimizer->moments[i].second;
}

static struct tensor integer(const char *name, const uint64_t *value) {
    return (struct tensor){
        .name = name, .type = TENSOR_U64, .rank = 1, .shape = {1}, .data = value};
}

static void list(struct contents *contents, const struct model *model,
                 const struct optimizer *optimizer) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        contents->tensors[contents->n++] = parameter_tensor(p, p->data);
    }
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        const struct parameter *p = optimizer->trained[i];
        for (int moment = 1; moment <= 2; moment++) {
            struct tensor tensor = parameter_tensor(p, moment_of(optimizer, i, moment));
            tensor.name = moment_name(contents->names[contents->n], moment, p);
            contents->tensors[contents->n++] = tensor;
        }
    }
}

mneme_status checkpoint_save(const char *path, const struct model *model,
                             const struct optimizer *optimizer, uint64_t cursor,
                             mneme_error *error) {
    size_t most = model->n_parameters + 2 * optimizer->n_trained + 2;
    struct contents contents = {.tensors = calloc(most, sizeof *contents.tensors),
                                .names = calloc(most, sizeof *contents.names)};
    uint64_t step = optimizer->step;
    mneme_status status;
    if (contents.tensors == NULL || contents.names == NULL) {
        status = error_set_memory(error, "a checkpoint");
    } else {
        list(&contents, model, optimizer);
        contents.tensors[contents.n++] = integer("step", &step);
        contents.tensors[contents.n++] = integer("cursor", &cursor);
        status = safetensors_write(path, contents.tensors, contents.n, NULL, 0, error);
    }
    free(contents.tensors);
    free(contents.names);
    return status;
}

static mneme_status read_integer(const struct safetensors *file, const char *name, uint64_t *value,
                                 mneme_error *error) {
    const size_t one = 1;
    return safetensors_read_exact(file, name, TENSOR_U64, 1, &one, value, error);
}

static mneme_status read_moments(const struct safetensors *file, struct optimizer *optimizer,
                                 mneme_error *error) {
    char name[MOMENT_NAME_SIZE];
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        const struct parameter *p = optimizer->trained[i];
        for (int moment = 1; moment <= 2; moment++) {
            TRY(safetensors_read_f32(file, moment_name(name, moment, p), p->rank, p->shape,
                                     moment_of(optimizer, i, moment), error));
        }
    }
    return MNEME_OK;
}

mneme_status checkpoint_load(const char *path, struct model *model, struct optimizer *optimizer,
                             uint64_t *cursor, mneme_error *error) {
    struct safetensors file = {0};
    uint64_t step = 0;
    mneme_status status = safetensors_open(&file, path, error);
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        status = safetensors_read_f32(&file, p->name, p->rank, p->shape, p->data, error);
    }
    THEN(read_moments(&file, optimizer, error));
    THEN(read_integer(&file, "step", &step, error));
    THEN(read_integer(&file, "cursor", cursor, error));
    if (status == MNEME_OK) optimizer->step = (size_t)step;
    safetensors_close(&file);
    return status;
}
