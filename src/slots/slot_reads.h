#ifndef SLOTS_SLOT_READS_H
#define SLOTS_SLOT_READS_H

#include <stddef.h>
#include <stdint.h>

#include "model/batch_builder.h"
#include "model/pass.h"
#include "run/experiment.h"

/* Which slots texts read with the experiment's model, token by token. Slots of all value tables are
 * numbered table * n_slots + slot, as in smf/background.h. */

struct slot_read {
    int32_t slot;
    uint32_t text; /* which of the texts */
    int32_t token; /* id of the input token at the place that read it */
};

/* All reads of some texts, sorted by slot, text, token. */
struct slot_reads {
    struct slot_read *reads; /* [n] */
    size_t n;
    size_t capacity;
    size_t n_texts;
    size_t n_tokens;
    /* The different slots, ascending: */
    size_t n_slots;
    int32_t *slots; /* [n_slots] */
    size_t *starts; /* [n_slots + 1] first read */
};

/* A pass over texts. */
struct slot_reader {
    const struct experiment *experiment;
    struct pass pass;
    struct batch_builder builder;
    uint32_t *text_of; /* [max_tokens] sequences' texts */
};

/* Room for sequences of `longest` tokens. */
mneme_status slot_reader_open(struct slot_reader *reader, const struct experiment *experiment,
                              size_t longest, mneme_error *error);
void slot_reader_close(struct slot_reader *reader);

/* Reads the sequences [first, end) of texts; *reads is overwritten, and the caller frees it. */
mneme_status slot_reader_read(struct slot_reader *reader, const struct token_texts *texts,
                              size_t first, size_t end, struct slot_reads *reads,
                              mneme_error *error);
void slot_reads_free(struct slot_reads *reads);

#endif
