#ifndef MODEL_BATCH_READS_H
#define MODEL_BATCH_READS_H

#include <stddef.h>
#include <stdint.h>

#include "model/pass.h"
#include "nn/row_scatter.h"

/* The slots that a batch read, sorted once after its forward pass, for those who count, rank or
 * change them. */

/* Different slots and how often each was read. Slots of all value tables are numbered
 * table * n_slots + slot. */
struct slots_read {
    size_t n;
    const int32_t *slots; /* [n] ascending */
    const size_t *starts; /* [n + 1] slot i was read starts[i + 1] - starts[i] times */
};

/* Makes room for all reads of a batch by slot, in the order (slot, token, layer, head, rank). As
 * contributions of a row_scatter their sources are rows of activations.d_reads (or expert_inputs),
 * their coefficients what the read weighs the value rows with. */
mneme_status batch_reads_open(struct row_scatter *reads, const struct model *model,
                              size_t max_tokens, mneme_error *error);

/* After a forward pass in training, which keeps every layer's reads, or one that has come to the
 * last memory layer. */
void batch_reads_sort(struct row_scatter *reads, const struct pass *pass);

/* After the sort and the backward pass: the same reads with the coefficients of PEER's values_u,
 * d_expert_hidden. */
void batch_reads_weigh_inputs(struct row_scatter *reads, const struct pass *pass);

struct slots_read batch_reads_slots(const struct row_scatter *reads);

#endif
