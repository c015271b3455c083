#ifndef METHOD_TEACHING_H
#define METHOD_TEACHING_H

#include "method/lessons.h"
#include "method/method.h"
#include "model/batch_builder.h"
#include "model/model.h"
#include "smf/background.h"

/* A finetuning under way: lessons taught to a model by one method, step by step. */
struct teaching {
    const struct method *method;
    const struct recipe *recipe;
    const struct lessons *lessons;
    const char *base_folder;             /* has the base, from which every finetuning starts */
    const struct background *background; /* of methods that need one */
    struct model *model;                 /* the base at first */
    float lr;
    size_t steps; /* done */
    struct pass pass;
    struct batch_builder builder;
    uint32_t *order; /* of a lesson's wordings */
    uint32_t *texts; /* [paraphrases] the batch's wordings */
    void *state;     /* the method's own */
};

/* What a teaching works with: all but the state that it makes. The model becomes the base. On
 * failure, too, the caller closes it. */
mneme_status teaching_open(struct teaching *teaching, mneme_error *error);
/* Does nothing to a teaching that was not opened. */
void teaching_close(struct teaching *teaching);

/* The steps of the whole stream: steps_per_fact for every lesson. */
size_t teaching_n_steps(const struct teaching *teaching);

/* One step. `tokens` of its batch. A failure with step->diverged ends the stream: the parameters
 * and `steps` are as before. */
mneme_status teaching_step(struct teaching *teaching, struct method_step *step, size_t *tokens,
                           mneme_error *error);

/* Digest of what the method trains. */
mneme_status teaching_digest(const struct teaching *teaching, struct digest *digest,
                             mneme_error *error);

/* Whether all weights are finite: the model's, and those of what will be merged into it. */
bool teaching_is_finite(const struct teaching *teaching);

/* After the last step, or before a look at the model in between: the model becomes what it would be
 * if the teaching ended here. And after such a look: it can be taught again. */
mneme_status teaching_finish(struct teaching *teaching, mneme_error *error);
mneme_status teaching_resume(struct teaching *teaching, mneme_error *error);

/* For methods: the most tokens that a batch of any lesson can have; and the pass and the
 * builder, for that many. */
size_t teaching_batch_tokens(const struct teaching *teaching);
mneme_status teaching_open_pass(struct teaching *teaching, size_t max_tokens, mneme_error *error);

#endif
