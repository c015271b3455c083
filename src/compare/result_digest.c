#include "compare/result_digest.h"

#include <stdlib.h>
#include <string.h>

#include <mneme/version.h>

#include "folder/folder.h"
#include "run/background_stage.h"

#define MAX_FILE_BYTES ((size_t)1 << 34)

/* "WHAT SHA-256\n" of a file. */
static mneme_status add_file(struct text *text, const char *what, const char *path,
                             mneme_error *error) {
    struct digest digest;
    TRY(digest_of_file(path, MAX_FILE_BYTES, &digest, error));
    text_add(text, "%s %s\n", what, digest.hex);
    return MNEME_OK;
}

static mneme_status add_trail(struct text *text, const char *stage, const char *folder,
                              mneme_error *error) {
    text_add(text, "trail ");
    return add_file(text, stage, path_in(folder, FOLDER_TRAIL).text, error);
}

static void add_scores(struct text *text, const struct scored_run *run) {
    const struct scores *s = &run->scores;
    if (run->divergence.step > 0) {
        text_add(text, " diverged at step %zu\n", run->divergence.step);
        return;
    }
    text_add(text, " %s %a %a %a %a %a", run->digest.hex, s->new_f1, s->new_em, s->known_f1,
             s->known_em, s->skill_nll);
    if (s->has_answer_nll) text_add(text, " %a %a", s->new_nll, s->known_nll);
    if (s->has_text) text_add(text, " %a", s->text_nll);
    if (s->has_choices) text_add(text, " %a %a", s->choices_acc, s->choices_acc_norm);
    text_add(text, "\n");
}

static void add_mark(const struct result *result, struct text *text) {
    if (result->mark[0] != '\0') text_add(text, "matmul %s\n", result->mark);
}

static mneme_status add_run(const struct result *result, const char *directory, struct text *text,
                            mneme_error *error) {
    const struct stage pretraining = stage_pretraining();
    bool has_background = false;
    text_add(text, "contract %d\n", MNEME_CONTRACT_VERSION);
    add_mark(result, text);
    TRY(add_trail(text, pretraining.name, stage_folder(directory, &pretraining).text, error));
    text_add(text, "base");
    add_scores(text, &result->base[0]);
    for (size_t s = 0; s < result->plan->n_series && !has_background; s++) {
        if (!result->plan->series[s].method->needs_background) continue;
        has_background = true;
        struct path path =
            background_stage_path(directory, &result->outcomes[0][s].cells[0].settings);
        TRY(add_file(text, "background", path.text, error));
    }
    for (size_t s = 0; s < result->plan->n_series; s++) {
        for (size_t c = 0; c < result->plan->series[s].n_cells; c++) {
            const struct cell *cell = &result->outcomes[0][s].cells[c];
            TRY(add_trail(text, cell->stage.name, cell->folder.text, error));
            text_add(text, "%s", cell->stage.name);
            add_scores(text, &cell->run);
        }
    }
    return MNEME_OK;
}

static void add_sweep(const struct result *result, struct text *text) {
    const struct plan *plan = result->plan;
    add_mark(result, text);
    for (size_t v = 0; v < plan->n_variants; v++) {
        text_add(text, "base %s", plan->variants[v].folder);
        add_scores(text, &result->base[v]);
        for (size_t s = 0; s < plan->n_series; s++) {
            const struct plan_series *series = &plan->series[s];
            for (size_t c = 0; c < series->n_cells; c++) {
                text_add(text, "%s: %s", series->name, series->cells[c].label);
                add_scores(text, &result->outcomes[v][s].cells[c].run);
            }
        }
    }
}

mneme_status result_digest(struct result *result, const char *directory, mneme_error *error) {
    struct text text = {0};
    mneme_status status = MNEME_OK;
    if (result->plan->kind == PLAN_RUN) {
        status = add_run(result, directory, &text, error);
    } else {
        add_sweep(result, &text);
    }
    char *bytes = text_take(&text);
    if (status == MNEME_OK && bytes == NULL) status = error_set_memory(error, "a digest");
    THEN(digest_of_bytes(bytes, strlen(bytes), &result->digest, error));
    free(bytes);
    return status;
}
