#include "run/experiment.h"

#include <stdlib.h>

#include "base/text.h"

/* Says how many questions were cut. */
static mneme_status note_shortened(struct experiment *e, const struct asked_choices *file,
                                   mneme_error *error) {
    struct text note = {0};
    if (file->n_shortened == 0) return MNEME_OK;
    text_add(&note, "%s: questions of which only the end fits model.max_seq_len: %zu", file->file,
             file->n_shortened);
    return text_list_add(&e->corpus.notes, text_take(&note), error);
}

/* Says where a file holds less than was asked for. */
static mneme_status note_size(struct experiment *e, const struct asked_choices *file,
                              mneme_error *error) {
    struct text note = {0};
    if (file->n >= e->recipe.corpus.max_choices) return MNEME_OK;
    text_add(&note, "%s: corpus.max_choices is %zu, but the file holds %zu", file->file,
             e->recipe.corpus.max_choices, file->n);
    return text_list_add(&e->corpus.notes, text_take(&note), error);
}

mneme_status experiment_open_choices(struct experiment *e, mneme_error *error) {
    const struct key_strings *paths = &e->recipe.corpus.choices;
    struct experiment_choices *choices = &e->choices;
    if (paths->n == 0) return MNEME_OK;
    TRY(subject_open_parts(&choices->subject, &e->model, e->tokenizer, &e->texts, error));
    choices->files = calloc(paths->n, sizeof *choices->files);
    if (choices->files == NULL) return error_set_memory(error, "multiple-choice questions");
    for (size_t i = 0; i < paths->n; i++) {
        struct asked_choices *file = &choices->files[i];
        TRY(asked_choices_load(file, &choices->subject, paths->texts[i],
                               e->recipe.corpus.max_choices, error));
        choices->n++;
        TRY(note_shortened(e, file, error));
        TRY(note_size(e, file, error));
    }
    return MNEME_OK;
}

void experiment_close_choices(struct experiment *e) {
    for (size_t i = 0; i < e->choices.n; i++) asked_choices_free(&e->choices.files[i]);
    free(e->choices.files);
    subject_close(&e->choices.subject);
    e->choices = (struct experiment_choices){0};
}
