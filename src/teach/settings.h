#ifndef TEACH_SETTINGS_H
#define TEACH_SETTINGS_H

#include <jansson.h>

#include "base/json_read.h"
#include "smf/sparse_step.h"

/* How facts are taught: the same for all facts of a patch, which keeps it. */
struct teach_settings {
    size_t t; /* slots that a step may change; 0: t_share of those that its first batch reads */
    float t_share;
    size_t idf_power;    /* a slot ranks by the share of reads, times its IDF so often */
    float lr;            /* of SGD, as a share of Polyak's step: lr * loss / |gradient|^2 */
    size_t max_steps;    /* of a fact */
    size_t batch;        /* wordings of a step, the asked one among them */
    size_t wordings;     /* of a fact */
    float enough;        /* a fact is learned when each token of its answer has this loss at most */
    size_t review;       /* so many of the facts before are asked again after each fact */
    size_t review_steps; /* at most, of a fact that was forgotten */
    size_t seed;
};

extern const struct teach_settings teach_default_settings;

/* As a patch keeps them; NULL without memory. */
json_t *teach_settings_to_json(const struct teach_settings *settings);
/* Reads those over what *settings has; `place` for messages. */
mneme_status teach_settings_read(struct teach_settings *settings, const char *text,
                                 const char *place, mneme_error *error);

#endif
