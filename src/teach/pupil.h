#ifndef TEACH_PUPIL_H
#define TEACH_PUPIL_H

#include <mneme/run.h>

#include "generate/language_model.h"
#include "lesson/common_texts.h"
#include "lesson/voice.h"
#include "patch/patch.h"
#include "teach/reading.h"

/* The memory that a model without one gets: empty, with keys from text, beside a layer's
 * feed-forward network. What is 0 is chosen by the model. */
struct pupil_memory {
    size_t layer; /* from 1 */
    size_t n_keys, knn, heads, k_dim;
};

struct pupil_options {
    const char *folder;
    const char *from; /* a patch that goes on; NULL: none */
    const char *const *texts;
    size_t n_texts;
    const char *prompt, *wordings;
    size_t max_inputs; /* of a wording */
    size_t batches;    /* of the background; 0: one for each group of common questions */
    struct pupil_memory memory;
    uint64_t seed;
    mneme_progress_callback progress;
    void *user;
};

/* A model that is taught: with a memory, its background, and the patch so far. */
struct pupil {
    struct language_model language;
    struct voice voice;
    struct common_texts common;
    struct reading reading;
    struct patch patch;
    const struct background *background; /* the patch's, or `own` */
    struct background own;
    bool has_new_memory;
};

mneme_status pupil_open(struct pupil *pupil, const struct pupil_options *options,
                        mneme_error *error);
/* Does nothing to {0}. */
void pupil_close(struct pupil *pupil);

#endif
