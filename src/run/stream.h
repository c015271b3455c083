#ifndef RUN_STREAM_H
#define RUN_STREAM_H

#include "base/file.h"
#include "run/experiment.h"

/* Learning and forgetting along the stream of new facts: FOLDER/stream.jsonl, a line per
 * evaluation:
 *
 *   lessons      taught so far (facts, or chunks of documents)
 *   new_f1       F1 of the new facts taught so far; new_em the same by exact match
 *   recent_f1    F1 of those among them that were taught since the evaluation before
 *   known_f1, known_em, skill_nll
 *
 * all null where a number of the model was not finite.
 */
struct stream {
    struct file_writer writer;
    size_t last_fact; /* new facts that the evaluation before asked */
};

mneme_status stream_open(struct stream *stream, const char *folder, mneme_error *error);

/* Evaluates the experiment's model after n_lessons lessons and adds the line. */
mneme_status stream_evaluate(struct stream *stream, const struct experiment *experiment,
                             size_t n_lessons, mneme_error *error);

/* stream.jsonl is there, whole, after this alone. */
mneme_status stream_finish(struct stream *stream, mneme_error *error);
/* Does nothing to {0} and after stream_finish. */
void stream_abandon(struct stream *stream);

#endif
