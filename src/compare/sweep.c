#include "compare/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "compare/sweep_cell.h"
#include "compare/sweep_plan.h"
#include "compare/sweep_plot.h"
#include "compare/sweep_report.h"
#include "compare/sweep_result.h"
#include "nn/matmul_backend.h"
#include "run/experiment.h"

/* Overrides and folder of a variant's run; the list and the path are the caller's to free. */
static mneme_status variant_options(const mneme_run_options *options,
                                    const struct sweep_variant *variant, const char ***overrides,
                                    size_t *n_overrides, char **directory, mneme_error *error) {
    *n_overrides = options->n_overrides + variant->choice.n_overrides;
    *overrides = calloc(*n_overrides + 1, sizeof **overrides);
    *directory = variant->folder[0] == '\0' ? strdup(options->directory)
                                            : path_join(options->directory, variant->folder);
    if (*overrides == NULL || *directory == NULL) {
        free(*overrides);
        free(*directory);
        return error_set_memory(error, "the sweep");
    }
    for (size_t i = 0; i < *n_overrides; i++) {
        (*overrides)[i] = i < options->n_overrides
                              ? options->overrides[i]
                              : variant->choice.overrides[i - options->n_overrides];
    }
    return MNEME_OK;
}

/* What the reports say of the experiment, which is closed by then. */
static void describe(const struct experiment *experiment, struct sweep_result *result) {
    const char *mark = matmul_backend_mark();
    snprintf(result->mark, sizeof result->mark, "%s", mark == NULL ? "" : mark);
    size_t n_known = experiment->recipe.evaluate.known_questions;
    result->n_lessons = experiment->lessons.n;
    result->unit = experiment->lessons.unit;
    result->n_new = experiment->fresh.n;
    result->n_known = n_known == 0 || n_known > experiment->known.n ? experiment->known.n : n_known;
}

/* All cells of a variant, from its base. */
static mneme_status run_cells(struct experiment *experiment, const mneme_run_options *options,
                              size_t variant, struct sweep_result *result, mneme_error *error) {
    const struct sweep_plan *plan = result->plan;
    mneme_status status = scored_run_base(experiment, &result->base[variant], error);
    for (size_t s = 0; s < plan->n_series; s++) {
        for (size_t c = 0; c < plan->series[s].n_cells && status == MNEME_OK; c++) {
            status = sweep_cell_run(experiment, options, &plan->variants[variant], &plan->series[s],
                                    c, &result->cells[variant][s][c], error);
        }
    }
    return status;
}

static mneme_status run_variant(const mneme_run_options *options, size_t variant,
                                struct sweep_result *result, mneme_error *error) {
    struct experiment experiment;
    mneme_run_options of_variant = *options;
    const char **overrides;
    char *directory;
    mneme_status status = variant_options(options, &result->plan->variants[variant], &overrides,
                                          &of_variant.n_overrides, &directory, error);
    if (status != MNEME_OK) return status;
    of_variant.overrides = overrides;
    of_variant.directory = directory;
    status = experiment_open(&of_variant, IDENTITY_BASE, &experiment, error);
    if (status == MNEME_OK) {
        describe(&experiment, result);
        status = run_cells(&experiment, options, variant, result, error);
        experiment_close(&experiment);
    }
    free(overrides);
    free(directory);
    return status;
}

static mneme_status run_all(const mneme_run_options *options, const struct sweep_plan *plan,
                            char **report, mneme_error *error) {
    struct sweep_result result;
    mneme_status status = sweep_result_open(&result, plan, error);
    for (size_t v = 0; v < plan->n_variants && status == MNEME_OK; v++) {
        status = run_variant(options, v, &result, error);
    }
    if (status == MNEME_OK) status = sweep_result_digest(&result, error);
    if (status == MNEME_OK) status = sweep_report_write(&result, options->directory, error);
    if (status == MNEME_OK) status = sweep_plot_draw(&result, options->directory, error);
    if (status == MNEME_OK) {
        *report = sweep_report_text(&result);
        if (*report == NULL) status = error_set_memory(error, "the report");
    }
    sweep_result_close(&result);
    return status;
}

mneme_status sweep_recipe(const mneme_run_options *options, char **report, mneme_error *error) {
    struct sweep_plan plan;
    mneme_status status =
        sweep_plan_load(options->recipe, options->overrides, options->n_overrides, &plan, error);
    if (status != MNEME_OK) return status;
    status = run_all(options, &plan, report, error);
    sweep_plan_free(&plan);
    return status;
}
