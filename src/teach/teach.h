#ifndef TEACH_TEACH_H
#define TEACH_TEACH_H

#include <mneme/teach.h>

#include "model/config.h"

/* mneme_teach of <mneme/teach.h>. */
mneme_status teach_run(const mneme_teach_options *options, char **report_text, mneme_error *error);

/* What there is to teach. */
struct teach_extent {
    struct model_config config; /* with the memory */
    size_t n_facts, max_steps;
    size_t t;            /* slots that a step changes, at most */
    size_t batch_tokens; /* of a step, at most */
};

/* In a rehearsal: opens all that teaching needs, and closes it. */
mneme_status teach_rehearse(const mneme_teach_options *options, struct teach_extent *extent,
                            mneme_error *error);

#endif
