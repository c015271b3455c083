/* A report made again from the scores that lie in the folder. */

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "compare/engine.h"
#include "compare/report.h"
#include "compare/result.h"
#include "compare/result_digest.h"
#include "folder/folder.h"
#include "recipe/identity.h"
#include "verify/verifying.h"

/* What reports of the same run may say differently. */
static const char *const not_of_run[] = {"seconds", "machine"};

/* The scores of one variant's base and cells, as they lie there. */
static mneme_status read_variant(struct result *result, size_t variant,
                                 struct experiment *experiment, mneme_error *error) {
    const struct plan *plan = result->plan;
    TRY(engine_describe(experiment, result, error));
    TRY(scored_run_load(experiment->base_folder, &result->base[variant], error));
    TRY(scored_run_read_slots(experiment, &result->base[variant], error));
    for (size_t s = 0; s < plan->n_series; s++) {
        for (size_t c = 0; c < plan->series[s].n_cells; c++) {
            struct cell *cell = &result->outcomes[variant][s].cells[c];
            TRY(cell_open(cell, plan, variant, s, c, error));
            TRY(cell_find(cell, plan, experiment, error));
            cell->run.lr = (double)cell->stage.lr;
            TRY(scored_run_load(cell->folder.text, &cell->run, error));
        }
    }
    return engine_list_left_out(experiment->directory, result, variant, error);
}

/* The run folder of a variant. */
static struct path variant_folder(const struct verifying *v, const struct plan *plan,
                                  size_t variant) {
    const char *folder = plan->variants[variant].folder;
    return folder[0] == '\0' ? v->directory : path_in(v->directory.text, "%s", folder);
}

static mneme_status read_result(const struct verifying *v, struct result *result,
                                mneme_error *error) {
    for (size_t i = 0; i < result->plan->n_variants; i++) {
        struct experiment experiment;
        struct path folder = variant_folder(v, result->plan, i);
        const mneme_run_options options = {.directory = folder.text,
                                           .overrides = v->options->overrides,
                                           .n_overrides = v->options->n_overrides};
        TRY(experiment_open(&options, IDENTITY_BASE, &experiment, error));
        mneme_status status = read_variant(result, i, &experiment, error);
        experiment_close(&experiment);
        TRY(status);
    }
    result_compare(result);
    return result_digest(result, v->directory.text, error);
}

/* The report's object without what may differ, as text. */
static char *print_comparable(json_t *report) {
    for (size_t i = 0; i < sizeof not_of_run / sizeof *not_of_run; i++) {
        json_object_del(report, not_of_run[i]);
    }
    return json_print(report, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
}

/* Tells the first line that differs. */
static mneme_status compare_texts(struct verifying *v, const char *name, const char *recorded,
                                  const char *found, mneme_error *error) {
    size_t at = 0, line = 0;
    while (recorded[at] == found[at] && recorded[at] != '\0') at++;
    if (recorded[at] == found[at]) return MNEME_OK;
    for (line = at; line > 0 && recorded[line - 1] != '\n'; line--) continue;
    char *a = strndup(recorded + line, strcspn(recorded + line, "\n"));
    char *b = strndup(found + line, strcspn(found + line, "\n"));
    mneme_status status = a == NULL || b == NULL ? error_set_memory(error, "a comparison")
                                                 : verifying_differ(v, name, 0, a + strspn(a, " "),
                                                                    b + strspn(b, " "), error);
    free(a);
    free(b);
    return status;
}

static mneme_status compare_json(struct verifying *v, const struct result *result,
                                 mneme_error *error) {
    struct path name = path_in("", "%s.json", report_form(result)->report);
    json_t *found = report_json(result), *recorded = NULL;
    TRY(json_read_file(path_in(v->directory.text, "%s", name.text).text, JSON_MAX_BYTES, &recorded,
                       error));
    char *a = print_comparable(recorded), *b = print_comparable(found);
    mneme_status status = a == NULL || b == NULL ? error_set_memory(error, "a report")
                                                 : compare_texts(v, name.text, a, b, error);
    free(a);
    free(b);
    json_decref(recorded);
    json_decref(found);
    return status;
}

/* `found` is freed. */
static mneme_status compare_file(struct verifying *v, const char *name, char *found,
                                 mneme_error *error) {
    mneme_status status = found == NULL ? error_set_memory(error, "a report")
                                        : verifying_compare_file(v, name, found, error);
    free(found);
    return status;
}

static mneme_status compare_report(struct verifying *v, const struct result *result,
                                   mneme_error *error) {
    const struct report_form *form = report_form(result);
    v->stage->last = 3;
    TRY(compare_json(v, result, error));
    TRY(compare_file(v, path_in("", "%s.md", form->report).text, report_markdown(result), error));
    TRY(compare_file(v, path_in("", "%s.csv", form->picture).text, report_csv(result), error));
    return verifying_pass_over(v, error, "pictures");
}

static mneme_status compare_plan(struct verifying *v, const struct plan *plan, mneme_error *error) {
    struct result *result = calloc(1, sizeof *result);
    if (result == NULL) return error_set_memory(error, "the result");
    mneme_status status = result_open(result, plan, error);
    THEN(read_result(v, result, error));
    THEN(compare_report(v, result, error));
    result_close(result);
    free(result);
    return status;
}

/* What was run: the folder's recipe, or what the sweep left; with the paths of the inputs. */
static mneme_status read_recipe(const struct verifying *v, enum plan_kind kind, json_t **recipe,
                                mneme_error *error) {
    struct path path = path_in(v->directory.text, FOLDER_SWEEP_RECIPE);
    if (kind == PLAN_RUN) {
        return identity_read(v->directory.text, v->options->overrides, v->options->n_overrides,
                             recipe, error);
    }
    TRY(json_read_file(path.text, JSON_MAX_BYTES, recipe, error));
    return MNEME_OK;
}

static mneme_status verify_report(struct verifying *v, enum plan_kind kind, const char *name,
                                  mneme_error *error) {
    struct path path = path_in(v->directory.text, FOLDER_SWEEP_RECIPE);
    struct plan plan;
    json_t *recipe;
    if (!verifying_wants(v, name)) return MNEME_OK;
    TRY(verifying_begin(v, name, error));
    if (kind == PLAN_SWEEP && !file_exists(path.text)) {
        v->stage->last = 0;
        return verifying_pass_over(
            v, error, "the report, since an earlier version left no " FOLDER_SWEEP_RECIPE);
    }
    TRY(read_recipe(v, kind, &recipe, error));
    TRY(plan_from_json(kind, path.text, recipe, &plan, error));
    mneme_status status = compare_plan(v, &plan, error);
    plan_free(&plan);
    return status;
}

mneme_status verify_reports(struct verifying *v, mneme_error *error) {
    if (file_exists(path_in(v->directory.text, "report.json").text)) {
        TRY(verify_report(v, PLAN_RUN, "report", error));
    }
    if (!file_exists(path_in(v->directory.text, "sweep.json").text)) return MNEME_OK;
    return verify_report(v, PLAN_SWEEP, "sweep", error);
}
