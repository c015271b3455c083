#ifndef EVAL_HELD_OUT_H
#define EVAL_HELD_OUT_H

#include "corpus/packed_text.h"
#include "model/model.h"

/* How well a model reads text that is held out of its training. */
struct held_out {
    const struct packed_text *text;
    size_t max_tokens; /* the first ones alone; 0: all */
    void (*progress)(size_t windows, size_t n_windows, void *context); /* or NULL */
    void *context;
};

/* *nll = the mean of -log p over the tokens of the documents, in nats; of the tokens around them
 * none counts. A document is read in windows of the text's sequence_length inputs, of which the
 * first begins with the token before the document and each later one with the last token of the
 * window before; the last one reaches back as far as it holds: those of lm-evaluation-harness
 * (rolling_windows.h) whose stride is the window.
 * The losses are f32 by the contract, added in ascending order as doubles. MNEME_FAILED where a
 * number is not finite. */
mneme_status held_out_nll(const struct held_out *held_out, const struct model *model, double *nll,
                          mneme_error *error);

#endif
