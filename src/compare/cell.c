#include "compare/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "data/utf8.h"
#include "run/folder.h"

#define ID_LENGTH 12

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

static mneme_status find_folder(struct cell *cell, const char *directory, const json_t *settings,
                                mneme_error *error) {
    char *text = json_print(settings, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    struct digest digest;
    if (text == NULL) return error_set_memory(error, "the plan");
    mneme_status status = digest_of_bytes(text, strlen(text), &digest, error);
    free(text);
    TRY(status);
    cell->folder = path_in(directory, FOLDER_CELLS "/%s-%.*s", cell->stage.method->name, ID_LENGTH,
                           digest.hex);
    return MNEME_OK;
}

/* cell.json says what the folder is of; another cell of the same ID would be refused. */
static mneme_status sign(const char *folder, const json_t *settings, mneme_error *error) {
    struct path path = path_in(folder, FOLDER_CELL);
    json_t *found;
    if (!file_exists(path.text)) {
        TRY(directory_make(folder, error));
        return json_write_file(path.text, settings, error);
    }
    TRY(json_read_file(path.text, JSON_MAX_BYTES, &found, error));
    bool same = json_equal(found, settings);
    json_decref(found);
    if (same) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: holds other settings than it should", path.text);
}

/* A cell that was run without evaluations along the stream is run again when they are wanted. */
static void forget_without_stream(const struct cell *cell) {
    if (cell->settings.evaluate_every == 0) return;
    if (file_exists(path_in(cell->folder.text, FOLDER_STREAM).text)) return;
    unlink(path_in(cell->folder.text, FOLDER_SCORES).text);
}

mneme_status cell_enter(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                        mneme_error *error) {
    experiment->recipe.finetune = cell->settings;
    if (plan->kind == PLAN_RUN) {
        cell->folder = stage_folder(experiment->directory, &cell->stage);
        return MNEME_OK;
    }
    json_t *settings = identity_of_cell(&experiment->recipe);
    mneme_status status = settings == NULL
                              ? error_set_memory(error, "the plan")
                              : find_folder(cell, experiment->directory, settings, error);
    THEN(sign(cell->folder.text, settings, error));
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
