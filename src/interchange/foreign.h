#ifndef INTERCHANGE_FOREIGN_H
#define INTERCHANGE_FOREIGN_H

#include <jansson.h>

#include "model/model.h"
#include "tensor/safetensors_set.h"
#include "tokenizer/tokenizer.h"

/* What the formats share, and each format's reader. */

#define FOREIGN_NAME_SIZE 128

/* How a format's safetensors differ from ours. */
struct foreign_names {
    /* The file's name of a parameter. */
    void (*name)(const struct parameter *parameter, char theirs[FOREIGN_NAME_SIZE]);
    /* A tensor that is no parameter but does no harm. */
    bool (*is_needless)(const struct model *model, const char *theirs);
};

/* Fills a described model from the set: checks first that every parameter is there with its shape,
 * and nothing else but what is needless. Closes the model on failure. */
mneme_status foreign_read(const struct safetensors_set *set, const struct foreign_names *names,
                          struct model *model, mneme_error *error);

/* Removes the members of an object that are null: they mean what their absence does. */
void foreign_drop_nulls(json_t *object);

/* Each opens the model at `path`. */
#define FORMAT(name) \
    mneme_status foreign_open_##name(const char *path, struct model *model, mneme_error *error);
#include "interchange/formats.def"
#undef FORMAT

/* Writes config.json and model.safetensors of the model, which is the one in the folder `source`,
 * as transformers' Llama, rounded to a type or (NULL) in its own. `tokenizer` may be NULL. */
mneme_status foreign_save_hf(const struct model *model, const char *source,
                             const struct tokenizer *tokenizer, const enum stored_type *as,
                             const char *folder, mneme_error *error);

#endif
