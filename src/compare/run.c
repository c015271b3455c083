#include "compare/run.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "compare/expectation.h"
#include "compare/plot.h"
#include "compare/report.h"
#include "compare/result_digest.h"
#include "nn/matmul_backend.h"
#include "run/background_stage.h"
#include "run/experiment.h"
#include "run/scored_run.h"

/* All learning rates of a method. Their models stay until one is chosen. */
static mneme_status sweep(struct experiment *experiment, enum method method,
                          const struct background *background, struct report *report,
                          mneme_error *error) {
    const struct recipe_rates *recipe = method_recipe(&experiment->recipe, method);
    if (!recipe->enabled) return MNEME_OK;
    struct report_method *found = &report->methods[report->n_methods++];
    found->name = method_name(method);
    for (size_t i = 0; i < recipe->n_lr; i++) {
        struct stage stage = stage_finetuning(method, recipe->lr[i]);
        char *folder = stage_folder(experiment->directory, &stage);
        mneme_status status = folder == NULL
                                  ? error_set_memory(error, "a path")
                                  : scored_run_finetuning(experiment, &stage, background, folder,
                                                          true, &found->runs[i], error);
        free(folder);
        if (status != MNEME_OK) return status;
        found->n_runs++;
    }
    return MNEME_OK;
}

/* Only the chosen run of a method keeps its weights; the others can be made again. */
static void keep_chosen_weights(const struct experiment *experiment, const struct report *report) {
    size_t m = 0;
    for (enum method method = METHOD_FULL; method < METHOD_COUNT; method++) {
        const struct recipe_rates *recipe = method_recipe(&experiment->recipe, method);
        if (!recipe->enabled) continue;
        for (size_t i = 0; i < recipe->n_lr; i++) {
            if (i == report->methods[m].chosen) continue;
            struct stage stage = stage_finetuning(method, recipe->lr[i]);
            char *folder = stage_folder(experiment->directory, &stage);
            char *path = folder == NULL ? NULL : path_join(folder, "model.safetensors");
            if (path != NULL) unlink(path);
            free(path);
            free(folder);
        }
        m++;
    }
}

static mneme_status finetune_all(struct experiment *experiment, struct report *report,
                                 mneme_error *error) {
    struct background background = {0};
    mneme_status status = MNEME_OK;
    if (experiment->recipe.finetune.smf.rates.enabled) {
        status = background_stage_run(experiment, &background, error);
    }
    for (enum method method = METHOD_FULL; status == MNEME_OK && method < METHOD_COUNT; method++) {
        status = sweep(experiment, method, &background, report, error);
    }
    background_close(&background);
    return status;
}

static mneme_status run_stages(struct experiment *experiment, const char *expected, char **table,
                               mneme_error *error) {
    double start = clock_seconds();
    struct report *report = calloc(1, sizeof *report);
    if (report == NULL) return error_set_memory(error, "the report");
    report->recipe = experiment->recipe.name;
    struct scored_run base;
    mneme_status status = scored_run_base(experiment, &base, error);
    report->base = base.scores;
    report->base_digest = base.digest;
    if (status == MNEME_OK) status = finetune_all(experiment, report, error);
    if (status == MNEME_OK) {
        report_select(report);
        report->seconds = clock_seconds() - start;
        status = result_digest(experiment, report, &report->result, error);
    }
    if (status == MNEME_OK) {
        status = report_write(report, experiment->directory, error);
        bool drawn;
        if (status == MNEME_OK) {
            status = plot_tradeoff(report, experiment->directory, &drawn, error);
        }
    }
    if (status == MNEME_OK) {
        keep_chosen_weights(experiment, report);
        *table = report_table(report);
        if (*table == NULL) status = error_set_memory(error, "the table");
    }
    if (status == MNEME_OK && expected != NULL) status = expectation_check(expected, report, error);
    free(report);
    return status;
}

/* Only canonical runs are compared with expected digests. */
static mneme_status check_expectable(const char *expected, mneme_error *error) {
    const char *mark = matmul_backend_mark();
    if (expected == NULL || mark == NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: cannot be expected of a run that is not canonical (products by %s)",
                     expected, mark);
}

mneme_status run_recipe(const mneme_run_options *options, char **table, mneme_error *error) {
    struct experiment experiment;
    mneme_status status = experiment_open(options, IDENTITY_RUN, &experiment, error);
    if (status != MNEME_OK) return status;
    status = check_expectable(options->expected, error);
    if (status == MNEME_OK) status = run_stages(&experiment, options->expected, table, error);
    experiment_close(&experiment);
    return status;
}
