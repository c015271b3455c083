#include "compare/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "compare/cell_folder.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "text/utf8.h"

/* The bytes of the first n characters of a text. */
static int first_characters(const char *text, int n) {
    int length = 0;
    while (text[length] != '\0' && (((unsigned char)text[length] & 0xc0) == 0x80 || n-- > 0)) {
        length++;
    }
    return length;
}

mneme_status cell_open(struct cell *cell, const struct plan *plan, size_t variant, size_t series,
                       size_t number, mneme_error *error) {
    const struct plan_series *of = &plan->series[series];
    *cell = (struct cell){0};
    TRY(plan_settings(plan, variant, series, number, &cell->settings, error));
    cell->stage = stage_finetuning(of->method, method_rates(of->method, &cell->settings)->lr[0]);
    if (plan->kind == PLAN_RUN) return MNEME_OK;
    const char *label = of->cells[number].label;
    struct text name = {0};
    text_add(&name, "%.*s: %.*s", first_characters(of->name, 20), of->name,
             first_characters(label, 24), label);
    char *text = text_take(&name);
    if (text == NULL) return error_set_memory(error, "the plan");
    snprintf(cell->stage.name, sizeof cell->stage.name, "%.*s",
             (int)utf8_valid_length(text, strnlen(text, sizeof cell->stage.name - 1)), text);
    free(text);
    return MNEME_OK;
}

/* A cell that was run without evaluations along the stream is run again when they are wanted. */
static mneme_status forget_without_stream(const struct cell *cell, const char *directory,
                                          mneme_error *error) {
    const char *const paths[] = {cell->folder.text};
    if (cell->settings.evaluate_every == 0) return MNEME_OK;
    if (file_exists(path_in(cell->folder.text, FOLDER_STREAM).text)) return MNEME_OK;
    TRY(manifest_forget(directory, paths, 1, error));
    unlink(path_in(cell->folder.text, FOLDER_SCORES).text);
    return MNEME_OK;
}

static mneme_status find_folder(struct cell *cell, const struct plan *plan, const char *directory,
                                const json_t *settings, mneme_error *error) {
    if (plan->kind == PLAN_SWEEP) {
        return cell_folder_of_sweep(directory, cell->stage.method->name, settings, &cell->folder,
                                    error);
    }
    cell->folder = stage_folder(directory, &cell->stage);
    return MNEME_OK;
}

/* Finds the folder and, with `enter`, makes it the cell's. */
static mneme_status find(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                         bool enter, mneme_error *error) {
    const char *directory = experiment->directory;
    experiment->recipe.finetune = cell->settings;
    json_t *settings = identity_of_cell(&experiment->recipe);
    mneme_status status = settings == NULL ? error_set_memory(error, "the plan")
                                           : find_folder(cell, plan, directory, settings, error);
    if (enter && plan->kind == PLAN_RUN) {
        THEN(cell_folder_take(directory, cell->folder.text, settings, error));
    } else if (enter) {
        THEN(cell_folder_sign(directory, cell->folder.text, settings, error));
    }
    json_decref(settings);
    return status;
}

mneme_status cell_find(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                       mneme_error *error) {
    return find(cell, plan, experiment, false, error);
}

mneme_status cell_enter(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                        mneme_error *error) {
    TRY(find(cell, plan, experiment, true, error));
    return forget_without_stream(cell, experiment->directory, error);
}

mneme_status cell_run(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                      const struct background *background, mneme_error *error) {
    const bool keep_weights = plan->kind == PLAN_RUN; /* until one is chosen */
    experiment->recipe.finetune = cell->settings;
    return scored_run_finetuning(experiment, &cell->stage, background, cell->folder.text,
                                 keep_weights, &cell->run, error);
}
