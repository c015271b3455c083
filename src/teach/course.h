#ifndef TEACH_COURSE_H
#define TEACH_COURSE_H

#include "lesson/lesson.h"
#include "patch/patch.h"
#include "smf/memory_inputs.h"
#include "smf/sparse_step.h"
#include "teach/settings.h"

/* The teaching of one fact after another. What the model is after a fact depends on the model, the
 * settings and the facts so far alone, so that facts can be taught in one call or in several, and
 * taken back. */

/* A fact that was taught: what the memory gets from its texts. */
struct taught {
    struct lesson lesson;
    struct memory_inputs inputs;
};

struct course {
    struct model *model;
    const struct voice *voice;
    struct teach_settings settings;
    size_t max_tokens; /* of a step's batch */
    struct pass below; /* brings texts to the memory */
    struct pass pass;
    struct batch_builder builder;
    struct sparse_stepper stepper;
    struct taught *taught; /* [review + 1] a ring of the last facts; fact i in i % (review + 1) */
    size_t n_taught;       /* facts so far */
    uint32_t *texts;       /* [batch] of a step */
    int32_t *read;         /* [max_tokens, reads of a token] of a lesson's first batch */
    int32_t *slots;        /* that the fact under way changed, with repetitions */
    size_t n_slots, slot_capacity;
};

/* What a fact took. */
struct course_result {
    size_t steps;
    float loss_before, loss; /* the asked answer's mean, before and in the last step */
    bool learned;
    size_t n_reviewed; /* facts before it that were taught again */
    size_t n_slots;    /* changed: ascending in course->slots */
    size_t n_read;     /* slots that the first batch read */
    size_t t;          /* that a step could change */
};

/* For wordings of at most `longest` tokens. */
mneme_status course_open(struct course *course, struct model *model, const struct voice *voice,
                         const struct background *background, const struct teach_settings *settings,
                         size_t longest, mneme_error *error);
/* Does nothing to {0}. */
void course_close(struct course *course);

/* Notes a fact that the model has been taught, so that it is asked again. */
mneme_status course_remember(struct course *course, const struct question *record,
                             mneme_error *error);

/* Teaches a fact. MNEME_FAILED, saying what was not finite, when it cannot be. */
mneme_status course_teach(struct course *course, const struct question *record,
                          struct course_result *result, mneme_error *error);

#endif
