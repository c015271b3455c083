#include "compare/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "compare/cell_folder.h"
#include "data/utf8.h"
#include "run/folder.h"

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
static void forget_without_stream(const struct cell *cell) {
    if (cell->settings.evaluate_every == 0) return;
    if (file_exists(path_in(cell->folder.text, FOLDER_STREAM).text)) return;
    unlink(path_in(cell->folder.text, FOLDER_SCORES).text);
}

static mneme_status find_folder(struct cell *cell, const struct plan *plan, const char *directory,
                                const json_t *settings, mneme_error *error) {
    if (plan->kind == PLAN_RUN) {
        cell->folder = stage_folder(directory, &cell->stage);
        return cell_folder_take(cell->folder.text, settings, error);
    }
    TRY(cell_folder_of_sweep(directory, cell->stage.method->name, settings, &cell->folder, error));
    return cell_folder_sign(cell->folder.text, settings, error);
}

mneme_status cell_enter(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                        mneme_error *error) {
    experiment->recipe.finetune = cell->settings;
    json_t *settings = identity_of_cell(&experiment->recipe);
    mneme_status status = settings == NULL
                              ? error_set_memory(error, "the plan")
                              : find_folder(cell, plan, experiment->directory, settings, error);
    json_decref(settings);
    if (status == MNEME_OK) forget_without_stream(cell);
    return status;
}

mneme_status cell_run(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                      const struct background *background, mneme_error *error) {
    const bool keep_weights = plan->kind == PLAN_RUN; /* until one is chosen */
    experiment->recipe.finetune = cell->settings;
    return scored_run_finetuning(experiment, &cell->stage, background, cell->folder.text,
                                 keep_weights, &cell->run, error);
}
