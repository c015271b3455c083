#ifndef VERIFY_VERIFYING_H
#define VERIFY_VERIFYING_H

#include <stdio.h>

#include <mneme/verify.h>

#include "base/path.h"
#include "folder/stage.h"
#include "run/experiment.h"

/* A verification under way. */
struct verifying {
    const mneme_verify_options *options;
    mneme_verification *verification;
    size_t capacity; /* of its stages */

    /* The run folder that is being verified. */
    struct path directory;
    char prefix[64]; /* of its stages' names: "seed-1/", or "" */
    bool is_whole;   /* its report is there: nothing may be missing */
    struct experiment experiment;

    size_t n_cells;              /* in it */
    mneme_verified_stage *stage; /* that is being compared */
};

/* Begins the next stage, for now an equal one. */
mneme_status verifying_begin(struct verifying *v, const char *name, mneme_error *error);

/* Whether the stage is among those that were asked for. */
bool verifying_wants(const struct verifying *v, const char *name);

/* Notes the stage's first difference; later ones are not told. `place` is a file, or NULL for a
 * step of the trail. */
mneme_status verifying_differ(struct verifying *v, const char *place, size_t step,
                              const char *recorded, const char *found, mneme_error *error);

/* Adds to what was not compared. */
mneme_status verifying_pass_over(struct verifying *v, mneme_error *error, const char *format, ...)
    MNEME_PRINTF(3, 4);

/* The bytes of a file are these; `name` is the file's in the run folder. */
mneme_status verifying_compare_file(struct verifying *v, const char *name, const char *found,
                                    mneme_error *error);

/* Each compares one stage. */
mneme_status verify_files(struct verifying *v, mneme_error *error);
mneme_status verify_tokenizer(struct verifying *v, mneme_error *error);
/* A training whose trail is in `folder`. */
mneme_status verify_stage(struct verifying *v, const struct stage *stage, const char *name,
                          const char *folder, mneme_error *error);
/* The folder's cells, each as a stage, or one stage for all that are not repeated. */
mneme_status verify_cells(struct verifying *v, mneme_error *error);
/* Finetunings in the folder that its recipe does not have any more. */
mneme_status verify_others(struct verifying *v, mneme_error *error);
/* The folder's report, if there is one. */
mneme_status verify_reports(struct verifying *v, mneme_error *error);

#endif
