#ifndef SMF_BACKGROUND_COUNTER_H
#define SMF_BACKGROUND_COUNTER_H

#include "model/pass.h"
#include "smf/background.h"

/* A model that reads batches of text for its background, with what it needs, allocated once. */
struct background_counter {
    struct pass pass;
    struct row_scatter reads; /* of a batch, by slot */
};

/* For batches of at most max_tokens tokens. The model's linear layers stay as they are while it is
 * open. */
mneme_status background_counter_open(struct background_counter *counter, const struct model *model,
                                     size_t max_tokens, mneme_error *error);
/* Does nothing to {0}. */
void background_counter_close(struct background_counter *counter);

/* Reads a batch, which has no padding, and counts it. */
mneme_status background_counter_add(struct background_counter *counter, const struct batch *batch,
                                    struct background *background, mneme_error *error);

#endif
