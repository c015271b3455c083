#ifndef PATCH_PATCH_H
#define PATCH_PATCH_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "patch/slot_index.h"
#include "smf/background.h"
#include "text/text_list.h"

/* What sparse memory finetuning did to a model: rows of its value tables, as they are now, and a
 * journal, fact by fact, of what the rows were before, so that facts can be taken back exactly.
 *
 * A row of a slot has `width` numbers: its values and, of PEER, its values_u after them. Slots of
 * all tables are numbered table * n_slots + slot. The first fact that changes a row found it as the
 * model has it: for that the journal needs no bytes. */

struct patch_fact {
    char *question;
    struct text_list answers;
    size_t steps; /* that taught it */
    float loss;   /* of its question's answer after them */
};

struct patch {
    struct digest model; /* that it fits: of all parameters, or of all but the memory it carries */
    char *settings;      /* what taught it, as JSON */
    size_t n_slots, width;
    struct text_list tables; /* names of the value tables, in their order */
    /* The memory of a model that had none: the whole model described, with data of the memory's
     * parameters alone. Its values are zero but for the patch's rows. */
    bool carries_memory;
    struct model memory;
    struct background background; /* to teach more; n_slots 0: the model's folder has it */

    /* The rows, in the order in which facts changed them first. */
    size_t n_rows, row_capacity, slot_capacity, first_capacity;
    int32_t *slots;        /* [n_rows] */
    float *rows;           /* [n_rows, width] */
    size_t *first_entries; /* [n_rows] in the journal */
    struct slot_index index;

    size_t n_facts, fact_capacity;
    struct patch_fact *facts;

    /* The journal: fact i changed the slots of entries [ends[i - 1], ends[i]), ascending. Entries
     * of slots that were changed before have a row in `before`, in their order. */
    size_t *ends; /* [n_facts] */
    size_t end_capacity;
    int32_t *journal; /* [n_entries] */
    size_t n_entries, entry_capacity;
    float *before; /* [n_entries - n_rows, width] */
    size_t before_capacity;
};

/* A patch without facts of a model, which has a memory; `fits` is the digest of the model without
 * what the patch carries. The memory that it carries is copied, and the background, which may be
 * NULL. */
mneme_status patch_open(struct patch *patch, const struct model *model, const struct digest *fits,
                        bool carries_memory, const struct background *background,
                        mneme_error *error);
/* Does nothing to {0}. */
void patch_close(struct patch *patch);

/* Adds a fact, which takes over *fact's strings even when the call fails, and after which the model
 * is as it is now: n slots have other rows than before, ascending. */
mneme_status patch_add_fact(struct patch *patch, struct patch_fact *fact, const struct model *model,
                            size_t n, const int32_t *slots, mneme_error *error);
/* Takes back the last n facts; there are as many. */
void patch_undo(struct patch *patch, size_t n);

void patch_fact_free(struct patch_fact *fact);

/* Puts the patch's rows into a model that has its tables. */
mneme_status patch_put_rows(const struct patch *patch, struct model *model, mneme_error *error);
/* A slot's row out of a model: row [width]. */
void patch_get_row(const struct model *model, int32_t slot, float *row);

/* Numbers of a slot's row in that model: v_dim, of PEER twice that. */
size_t patch_width(const struct model_config *config);

/* Whether a patch that carries a memory carries this parameter. */
static inline bool patch_carries(const struct parameter *parameter) {
    return (parameter->roles & ROLE_MEMORY) != 0 && parameter->kind == PARAMETER_COMMON;
}

#endif
