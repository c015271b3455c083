#ifndef TESTS_NANO_H
#define TESTS_NANO_H

#include <mneme/run.h>

#include "assertions.h"
#include "folder/folder.h"
#include "run/experiment.h"
#include "run/model_folder.h"
#include "temporary.h"

/* The nano recipe, shortened: a run takes a fifth of a second. */

static const char *const nano_overrides[] = {"pretrain.steps=12", "pretrain.checkpoint_every=5",
                                             "finetune.steps_per_fact=2"};

/* Runs it in a folder below the test's, and returns that. */
static inline const char *nano_run(const char *name) {
    const char *folder = temporary_path(name);
    const mneme_run_options options = {.recipe = "data/recipes/nano.json",
                                       .overrides = nano_overrides,
                                       .n_overrides = 3,
                                       .directory = folder};
    mneme_error error = {0};
    char *table;
    assert_ok(mneme_run(&options, &table, &error), &error);
    free(table);
    return folder;
}

/* Opens such a folder, with its base in the model. */
static inline void nano_open(const char *folder, struct experiment *experiment) {
    const mneme_run_options options = {.directory = folder};
    mneme_error error = {0};
    assert_ok(experiment_open(&options, IDENTITY_RUN, experiment, &error), &error);
    assert_ok(model_folder_load(experiment, path_in(folder, FOLDER_BASE).text, &error), &error);
}

#endif
