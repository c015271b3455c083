#ifndef MNEME_TEACH_H
#define MNEME_TEACH_H

/* Teaching a model the facts of a file by sparse memory finetuning (docs/teaching.md). */

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>
#include <mneme/run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is 0 or NULL takes its default. */
typedef struct mneme_teach_options {
    const char *model; /* a model folder; one without a memory gets an empty one */
    const char *facts; /* a file of questions with answers, or of statements */
    const char *patch; /* where the patch goes; one that is there already goes on */
    const char *from;  /* a patch to go on from instead; NULL: none */
    size_t limit;      /* the first facts of the file; 0: all */

    const char *const *texts; /* [n_texts] files and folders of text for keys, background and the
                                 held-out slice; none: the built-in text */
    size_t n_texts;
    const char *keep;  /* a file of questions that should not be forgotten */
    size_t keep_shots; /* examples, the first others of that file, before each of them; 0: none */
    double max_loss;   /* share of keep's F1 at which teaching stops, and of the text's NLL at which
                          the  user is told; 0.03 */

    const char *prompt;   /* how facts are asked, as for mneme_eval */
    const char *wordings; /* a file of wordings */

    size_t background;         /* batches that it is counted over; 131: all common questions once */
    size_t layer;              /* of the memory that is made, from 1; two thirds up */
    size_t n_keys, knn, heads; /* of it; 512, 16, 4 */

    size_t t;          /* slots that a step may change; a share of those that its batch reads */
    float t_share;     /* that share; 0.1 */
    size_t idf_power;  /* how often a slot's share of reads is multiplied by its IDF, by which slots
                          rank; at most 16; 5 */
    float lr;          /* share of Polyak's step; 0.5 */
    size_t steps;      /* of a fact at most; 20 */
    size_t batch;      /* wordings in a step; 8 */
    size_t n_wordings; /* wordings of a fact; 16 */
    float enough;      /* loss of each of the answer's tokens at which a fact is learned; 0.2 */
    size_t seed;

    bool json;                        /* the report is a JSON object, with a line for each fact */
    mneme_progress_callback progress; /* may be NULL; called from the calling thread */
    void *user;
} mneme_teach_options;

/* Teaches the facts one after the other, and writes the patch every few seconds and at the end,
 * whole each time: one that was interrupted goes on with the same call, and ends in the same bytes,
 * which depend neither on CPU nor on threads. Facts that the patch has already are passed over.
 * After each fact those before it are asked again, and what was forgotten is taught again. *report
 * becomes what was learned and what was lost, as text; free it with free(). *report is set, too,
 * with MNEME_FAILED where teaching stopped because more than max_loss was lost; the patch then has
 * the facts so far. MNEME_BAD_INPUT for files that are wrong, a model without a tokenizer, a patch
 * of another model. */
MNEME_API mneme_status mneme_teach(const mneme_teach_options *options, char **report,
                                   mneme_error *error);

/* What teaching would take, stage by stage, as if nothing of it were done: memory, disk,
 * operations, and an estimate of the time from the machine's speed, which is measured in a second.
 * Nothing is computed, and no file is written. *plan becomes a table for a terminal, or JSON; free
 * it with free(). */
MNEME_API mneme_status mneme_teach_plan(const mneme_teach_options *options, bool as_json,
                                        char **plan, mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
