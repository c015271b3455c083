#ifndef RUN_SCORED_RUN_H
#define RUN_SCORED_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "folder/stage.h"
#include "run/experiment.h"
#include "run/scores.h"
#include "smf/background.h"
#include "train/slot_usage.h"

/* A training that was asked its questions: the pretrained base, or one finetuning of it. */
struct scored_run {
    double lr;
    struct scores scores;
    struct divergence divergence; /* then there are no scores, and no digest */
    size_t steps;
    size_t trainable_parameters;
    double seconds;            /* of the training steps, without evaluations */
    struct digest digest;      /* of the model after it */
    bool has_slots;            /* of a base whose pretraining counted its memory's reads: … */
    struct slot_figures slots; /* … those of its last step */
};

/* Pretrains and evaluates the base, or takes both from the folder; the experiment keeps the base's
 * parameters. base/scores.json and base/answers.jsonl are left. */
mneme_status scored_run_base(struct experiment *experiment, struct scored_run *run,
                             mneme_error *error);

/* Adds members diverged, diverged_at with step and cause (null unless it did),
 * trainable_parameters, steps and seconds; -1 if there is no memory. */
int scored_run_add_json(const struct scored_run *run, json_t *object);

/* The digest as a value: null of one that diverged. */
json_t *scored_run_digest(const struct scored_run *run);
/* What scores.json says. The caller owns it; NULL without memory. */
json_t *scored_run_to_json(const struct scored_run *run);

/* Whether the folder of a base or finetuning holds its scores, which are written last. */
bool scored_run_exists(const struct experiment *experiment, const char *folder);

/* Takes what the base's last step read of its memory from the trail, where it says. */
mneme_status scored_run_read_slots(const struct experiment *experiment, struct scored_run *base,
                                   mneme_error *error);

/* Reads FOLDER/scores.json. Without a check of anything else. */
mneme_status scored_run_load(const char *folder, struct scored_run *run, mneme_error *error);

/* Refuses scores that are of another model than FOLDER/model.safetensors, or of other answers than
 * FOLDER/answers.jsonl, where these are there. */
mneme_status scored_run_check(const char *folder, const struct scored_run *run, mneme_error *error);

/* Runs one finetuning and evaluates it, or takes its scores from FOLDER/scores.json when they are
 * there. Leaves what finetuning_run and evaluation_run do, and the model with keep_weights. One
 * that diverges is no failure: scores.json says where, and it has neither answers nor a model. */
mneme_status scored_run_finetuning(struct experiment *experiment, const struct stage *stage,
                                   const struct background *background, const char *folder,
                                   bool keep_weights, struct scored_run *run, mneme_error *error);

#endif
