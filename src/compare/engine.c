#include "compare/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_write.h"
#include "compare/cell_folder.h"
#include "compare/expectation.h"
#include "compare/plot.h"
#include "compare/report.h"
#include "compare/result.h"
#include "compare/result_digest.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "nn/matmul_backend.h"
#include "run/background_stage.h"
#include "run/model_folder.h"
#include "smf/model_background.h"

/* The cells of one variant, which share a base. */
struct variant_run {
    struct experiment experiment;
    struct result *result;
    size_t variant;
    struct path directory;        /* the run folder */
    struct background background; /* that the last cell needed */
    struct path background_path;  /* where it is from; "": none is there */
};

/* Calls for every cell of the variant, in order. */
static mneme_status for_cells(struct variant_run *r,
                              mneme_status (*call)(struct variant_run *, struct cell *,
                                                   mneme_error *),
                              mneme_error *error) {
    for (size_t s = 0; s < r->result->plan->n_series; s++) {
        for (size_t c = 0; c < r->result->plan->series[s].n_cells; c++) {
            TRY(call(r, &r->result->outcomes[r->variant][s].cells[c], error));
        }
    }
    return MNEME_OK;
}

/* The background that the cell's settings ask for: loaded, or counted with the base. */
static PATH_OUT_OF_LINE mneme_status take_background(struct variant_run *r, mneme_error *error) {
    struct experiment *e = &r->experiment;
    struct path path = background_stage_path(e->directory, &e->recipe.finetune);
    if (strcmp(path.text, r->background_path.text) == 0) return MNEME_OK;
    background_close(&r->background);
    r->background_path.text[0] = '\0';
    if (!file_exists(path.text)) TRY(model_read(e->base_folder, &e->model, error));
    TRY(background_stage_run(e, &r->background, error));
    r->background_path = path;
    return MNEME_OK;
}

/* Backgrounds come before the finetunings: all that a run tells of its base is there by then. */
static mneme_status prepare_cell(struct variant_run *r, struct cell *cell, mneme_error *error) {
    TRY(cell_enter(cell, r->result->plan, &r->experiment, error));
    return cell->stage.method->needs_background ? take_background(r, error) : MNEME_OK;
}

/* A run that only trains on text leaves a model that can be taught later. */
static mneme_status prepare_teaching(struct variant_run *r, mneme_error *error) {
    if (plan_n_cells(r->result->plan) > 0 || r->experiment.model.n_tables == 0) return MNEME_OK;
    return take_background(r, error);
}

static mneme_status run_cell(struct variant_run *r, struct cell *cell, mneme_error *error) {
    r->experiment.recipe.finetune = cell->settings;
    if (cell->stage.method->needs_background) TRY(take_background(r, error));
    return cell_run(cell, r->result->plan, &r->experiment, &r->background, error);
}

/* Each note of the corpus once, however many variants have it. */
static mneme_status take_notes(const struct text_list *notes, struct result *result,
                               mneme_error *error) {
    for (size_t i = 0; i < notes->n; i++) {
        size_t same = 0;
        while (same < result->notes.n && strcmp(result->notes.texts[same], notes->texts[i]) != 0) {
            same++;
        }
        if (same < result->notes.n) continue;
        TRY(text_list_add_copy(&result->notes, notes->texts[i], strlen(notes->texts[i]), error));
    }
    return MNEME_OK;
}

mneme_status engine_describe(const struct experiment *experiment, struct result *result,
                             mneme_error *error) {
    const char *mark = matmul_backend_mark();
    snprintf(result->mark, sizeof result->mark, "%s", mark == NULL ? "" : mark);
    size_t n_known = experiment->recipe.evaluate.known_questions;
    result->n_lessons = experiment->lessons.n;
    result->unit = experiment->lessons.unit;
    result->n_new = experiment->fresh.n;
    result->n_known = n_known == 0 || n_known > experiment->known.n ? experiment->known.n : n_known;
    return take_notes(&experiment->corpus.notes, result, error);
}

/* Only canonical runs are compared with expected digests. */
static mneme_status check_expectable(const char *expected, mneme_error *error) {
    const char *mark = matmul_backend_mark();
    if (expected == NULL || mark == NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: cannot be expected of a run that is not canonical (products by %s)",
                     expected, mark);
}

/* Weights go when a run has not chosen them; when it has other cells then, they are made again. */
static PATH_OUT_OF_LINE mneme_status remake_weights(struct variant_run *r, struct cell *cell,
                                                    mneme_error *error) {
    const char *const paths[] = {cell->folder.text};
    if (model_folder_exists(&r->experiment, cell->folder.text)) return MNEME_OK;
    TRY(manifest_forget(r->experiment.directory, paths, 1, error));
    unlink(path_in(cell->folder.text, FOLDER_SCORES).text);
    cell->run = (struct scored_run){0};
    return run_cell(r, cell, error);
}

static mneme_status remake_chosen(struct variant_run *r, mneme_error *error) {
    struct result *result = r->result;
    result_compare(result);
    for (size_t s = 0; s < result->plan->n_series; s++) {
        if (!result_has_points(result, r->variant, s)) continue;
        struct outcome *outcome = &result->outcomes[r->variant][s];
        TRY(remake_weights(r, &outcome->cells[result_chosen(result, r->variant, s)], error));
    }
    return MNEME_OK;
}

static bool is_in_plan(const struct result *result, size_t variant, const char *folder) {
    for (size_t s = 0; s < result->plan->n_series; s++) {
        for (size_t c = 0; c < result->plan->series[s].n_cells; c++) {
            const struct cell *cell = &result->outcomes[variant][s].cells[c];
            if (strcmp(cell->folder.text, folder) == 0) return true;
        }
    }
    return false;
}

PATH_OUT_OF_LINE mneme_status engine_list_left_out(const char *directory, struct result *result,
                                                   size_t variant, mneme_error *error) {
    const bool is_run = result->plan->kind == PLAN_RUN;
    struct path folder = path_in(directory, is_run ? FOLDER_FINETUNE : FOLDER_CELLS);
    struct path_list list = {0};
    if (!file_is_directory(folder.text)) return MNEME_OK;
    TRY(directory_list(folder.text, FOLDER_SCORES, &list, error));
    for (size_t i = 0; i < list.n; i++) {
        struct path cell = path_parent(path_in(folder.text, "%s", list.paths[i]).text);
        if (is_in_plan(result, variant, cell.text)) continue;
        text_add(&result->left_out, "%s%s", result->n_left_out++ > 0 ? ", " : "",
                 cell.text + strlen(folder.text) + 1);
    }
    path_list_free(&list);
    return MNEME_OK;
}

static mneme_status run_cells(struct variant_run *r, const char *expected, mneme_error *error) {
    TRY(check_expectable(expected, error));
    TRY(engine_describe(&r->experiment, r->result, error));
    TRY(scored_run_base(&r->experiment, &r->result->base[r->variant], error));
    if (r->result->plan->kind == PLAN_RUN) TRY(cell_folders_adopt(&r->experiment, error));
    TRY(for_cells(r, prepare_cell, error));
    TRY(prepare_teaching(r, error));
    TRY(for_cells(r, run_cell, error));
    TRY(engine_list_left_out(r->experiment.directory, r->result, r->variant, error));
    return r->result->plan->kind == PLAN_RUN ? remake_chosen(r, error) : MNEME_OK;
}

/* Runs the variant in r->directory, with its overrides after the caller's. */
static mneme_status run_in_folder(struct variant_run *r, const mneme_run_options *options,
                                  mneme_error *error) {
    const struct plan_choice *choice = &r->result->plan->variants[r->variant].choice;
    mneme_run_options own = *options;
    const char **overrides = plan_overrides(options->n_overrides, options->overrides, choice);
    if (overrides == NULL) return error_set_memory(error, "the plan");
    own.overrides = overrides;
    own.n_overrides += choice->n_overrides;
    own.directory = r->directory.text;
    mneme_status status = experiment_open(&own, IDENTITY_BASE, &r->experiment, error);
    if (status == MNEME_OK) {
        status = run_cells(r, options->expected, error);
        experiment_close(&r->experiment);
    }
    background_close(&r->background);
    free(overrides);
    return status;
}

static PATH_OUT_OF_LINE struct variant_run *make_variant_run(const char *directory,
                                                             struct result *result,
                                                             size_t variant) {
    struct variant_run *r = calloc(1, sizeof *r);
    const char *folder = result->plan->variants[variant].folder;
    if (r == NULL) return NULL;
    r->result = result;
    r->variant = variant;
    r->directory =
        folder[0] == '\0' ? path_in("", "%s", directory) : path_in(directory, "%s", folder);
    return r;
}

static mneme_status run_variant(const mneme_run_options *options, size_t variant,
                                struct result *result, mneme_error *error) {
    struct variant_run *r = make_variant_run(options->directory, result, variant);
    mneme_status status =
        r == NULL ? error_set_memory(error, "the plan") : run_in_folder(r, options, error);
    free(r);
    return status;
}

/* All cells' settings are read before the first cell is run. */
static mneme_status open_cells(struct result *result, mneme_error *error) {
    const struct plan *plan = result->plan;
    for (size_t v = 0; v < plan->n_variants; v++) {
        for (size_t s = 0; s < plan->n_series; s++) {
            for (size_t c = 0; c < plan->series[s].n_cells; c++) {
                TRY(cell_open(&result->outcomes[v][s].cells[c], plan, v, s, c, error));
            }
        }
    }
    return MNEME_OK;
}

/* A run's models are kept until one per method is chosen; the others can be made again. */
static PATH_OUT_OF_LINE mneme_status keep_chosen_weights(const struct result *result,
                                                         const char *directory,
                                                         mneme_error *error) {
    for (size_t s = 0; result->plan->kind == PLAN_RUN && s < result->plan->n_series; s++) {
        for (size_t c = 0; c < result->plan->series[s].n_cells; c++) {
            const char *folder = result->outcomes[0][s].cells[c].folder.text;
            struct path model = path_in(folder, FOLDER_MODEL);
            struct path background = path_in(folder, MODEL_BACKGROUND_FILE);
            const char *const paths[] = {model.text, background.text};
            if (c == result_chosen(result, 0, s) || !file_exists(model.text)) continue;
            TRY(manifest_forget(directory, paths, 2, error));
            unlink(model.text);
            unlink(background.text);
        }
    }
    return MNEME_OK;
}

/* Report, pictures and, of a sweep, what it ran. */
static PATH_OUT_OF_LINE mneme_status write_reports(const struct result *result,
                                                   const char *directory, mneme_error *error) {
    struct report_files files = report_files(result, directory);
    const char *paths[REPORT_MAX_FILES];
    for (size_t i = 0; i < files.n; i++) paths[i] = files.paths[i].text;
    TRY(manifest_begin(directory, error));
    TRY(manifest_forget(directory, paths, files.n, error));
    TRY(report_write(result, directory, error));
    TRY(plot_draw(result, directory, error));
    if (result->plan->kind == PLAN_SWEEP) {
        TRY(json_write_file(path_in(directory, FOLDER_SWEEP_RECIPE).text, result->plan->recipe,
                            error));
    }
    return manifest_sign(directory, paths, files.n, error);
}

static mneme_status run_plan(const mneme_run_options *options, struct result *result, char **report,
                             mneme_error *error) {
    double start = clock_seconds();
    TRY(open_cells(result, error));
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        TRY(run_variant(options, v, result, error));
    }
    result_compare(result);
    result->seconds = clock_seconds() - start;
    TRY(result_digest(result, options->directory, error));
    TRY(write_reports(result, options->directory, error));
    TRY(keep_chosen_weights(result, options->directory, error));
    *report = report_text(result);
    if (*report == NULL) return error_set_memory(error, "the report");
    return options->expected == NULL ? MNEME_OK
                                     : expectation_check(options->expected, result, error);
}

mneme_status engine_run(enum plan_kind kind, const mneme_run_options *options, char **report,
                        mneme_error *error) {
    struct plan plan;
    TRY(plan_load(kind, options->recipe, options->overrides, options->n_overrides, &plan, error));
    struct result *result = calloc(1, sizeof *result);
    mneme_status status =
        result == NULL ? error_set_memory(error, "the result") : result_open(result, &plan, error);
    THEN(run_plan(options, result, report, error));
    if (result != NULL) result_close(result);
    free(result);
    plan_free(&plan);
    return status;
}
