#ifndef MNEME_RUN_H
#define MNEME_RUN_H

/* Running a recipe: pretraining, background, the finetunings, evaluation, report. */

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a run is doing. Strings live until the callback returns. */
typedef struct mneme_progress {
    const char *stage;  /* "pretrain", "background", "full lr 0.001", "evaluate base", … */
    const char *unit;   /* what is counted: "steps", "batches", "questions" */
    size_t done, total; /* in units */
    size_t tokens;      /* processed in this stage since the call began, to show a rate */
    bool has_loss;
    float loss; /* of the last step */
    /* Usually NULL. Otherwise a line that the user should see, such as that a damaged checkpoint
     * was passed over, and nothing else is told. */
    const char *warning;
    bool has_slots; /* of a pretraining with a base, text or frozen parts: what its last … */
    size_t slots;   /* … step read of the memory: different slots; */
    float slot_perplexity; /* exp of the entropy of its reads' shares; */
    float never_read;      /* and the share of all slots that no step has read so far */
} mneme_progress;

typedef void (*mneme_progress_callback)(const mneme_progress *progress, void *user);

typedef struct mneme_run_options {
    const char *recipe;           /* path of a recipe file */
    const char *const *overrides; /* "key=value", as for --set */
    size_t n_overrides;
    const char *directory;            /* the run folder; made if it is not there */
    const char *expected;             /* a file of digests that the run must end in, or NULL */
    mneme_progress_callback progress; /* may be NULL; called from the calling thread */
    void *user;
} mneme_run_options;

/* Runs a recipe in a folder. Stages that the folder already has are skipped. A run that was killed
 * continues from its last checkpoint and ends with the same bits. MNEME_BAD_INPUT for a folder of
 * another recipe, or whose input files have changed. *table becomes the comparison as text for a
 * terminal; free it with free(). MNEME_FAILED if the digests are not those of options->expected;
 * *table is set then, too. */
MNEME_API mneme_status mneme_run(const mneme_run_options *options, char **table,
                                 mneme_error *error);

/* Before a run begins, what it takes is compared with what there is: one that does not fit into the
 * memory that the machine, its control group and `ulimit -v` leave this process, or onto the disk,
 * is MNEME_FAILED, with the figures, unless the environment has MNEME_OVERSIZE=1. The same holds
 * for sweeps, teaching and evaluations. */

/* What a run would take, stage by stage, as if nothing of it were done: memory, disk, operations,
 * and an estimate of the time from the machine's speed, which is measured in a second. Nothing is
 * computed, and no file is written. *plan becomes a table for a terminal, or JSON; free it with
 * free(). */
MNEME_API mneme_status mneme_run_plan(const mneme_run_options *options, bool as_json, char **plan,
                                      mneme_error *error);

/* The keys that a recipe can have, with type, default, range and meaning: a table in Markdown, or a
 * list in JSON. Free it with free(); NULL when memory is short. */
MNEME_API char *mneme_recipe_keys(bool as_json);

#ifdef __cplusplus
}
#endif

#endif
