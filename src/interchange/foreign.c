#include "interchange/foreign.h"

#include <stdlib.h>
#include <string.h>

void foreign_drop_nulls(json_t *object) {
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value) {
        if (json_is_null(value)) json_object_del(object, key);
    }
}

/* The names that the set has of a model's parameters. */
typedef char foreign_name[FOREIGN_NAME_SIZE];

static int compare_names(const void *a, const void *b) {
    return strcmp(a, b);
}

/* Every tensor of the set is one of the names, or needless. */
static mneme_status check_no_others(const struct safetensors_set *set,
                                    const struct foreign_names *names, const struct model *model,
                                    const foreign_name *sorted, mneme_error *error) {
    for (size_t f = 0; f < set->n_files; f++) {
        for (size_t i = 0; i < set->files[f].n; i++) {
            const char *name = set->files[f].entries[i].tensor.name;
            if (bsearch(name, sorted, model->n_parameters, sizeof *sorted, compare_names) != NULL ||
                names->is_needless(model, name)) {
                continue;
            }
            return error_set(error, MNEME_BAD_INPUT,
                             "%s: tensor `%s`: the config asks for no such parameter",
                             set->files[f].file.path, name);
        }
    }
    return MNEME_OK;
}

static mneme_status check_set(const struct safetensors_set *set, const struct foreign_names *names,
                              const struct model *model, mneme_error *error) {
    foreign_name *sorted = calloc(model->n_parameters, sizeof *sorted);
    if (sorted == NULL) return error_set_memory(error, "names of tensors");
    mneme_status status = MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        names->name(p, sorted[i]);
        status = safetensors_set_check_f32(set, sorted[i], p->rank, p->shape, error);
    }
    if (status == MNEME_OK) {
        qsort(sorted, model->n_parameters, sizeof *sorted, compare_names);
        status = check_no_others(set, names, model, (const foreign_name *)sorted, error);
    }
    free(sorted);
    return status;
}

mneme_status foreign_read(const struct safetensors_set *set, const struct foreign_names *names,
                          struct model *model, mneme_error *error) {
    mneme_status status = check_set(set, names, model, error);
    THEN(model_allocate(model, error));
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        foreign_name name;
        names->name(p, name);
        p->file_type = safetensors_set_type(set, name);
        status = safetensors_set_read_f32(set, name, p->rank, p->shape, p->data, error);
    }
    if (status != MNEME_OK) model_close(model);
    return status;
}
