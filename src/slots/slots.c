#include "slots/slots.h"

#include <stdlib.h>

#include "folder/folder.h"
#include "folder/manifest.h"
#include "run/background_stage.h"
#include "run/model_folder.h"
#include "slots/slot_plot.h"
#include "slots/slot_reads.h"
#include "slots/slot_report.h"

/* What the view is made with. */
struct viewing {
    struct experiment experiment;
    struct background background;
    struct slot_reader reader;
    struct trainable_rule rule;
    struct slot_report report;
};

static mneme_status open_viewing(const mneme_slots_options *options, struct viewing *v,
                                 mneme_error *error) {
    const mneme_run_options folder = {.directory = options->directory,
                                      .overrides = options->overrides,
                                      .n_overrides = options->n_overrides,
                                      .progress = options->progress,
                                      .user = options->user};
    TRY(experiment_open(&folder, IDENTITY_BASE, &v->experiment, error));
    if (v->experiment.recipe.model.memory.n_layers == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: the model has no memory layer",
                         options->directory);
    }
    TRY(model_folder_load(&v->experiment, v->experiment.base_folder, error));
    TRY(background_stage_run(&v->experiment, &v->background, error));
    slot_usage_count(&v->background, &v->report.usage);
    v->report.recipe = v->experiment.recipe.name;
    v->report.tokenizer = v->experiment.tokenizer;
    v->report.t = v->experiment.recipe.finetune.smf.t;
    bool per_table = v->experiment.recipe.finetune.smf.t_per == TRAINABLE_PER_TABLE;
    v->rule =
        (struct trainable_rule){v->report.t, per_table ? model_n_slots(&v->experiment.recipe.model)
                                                       : v->background.n_slots};
    v->report.top = options->top;
    return MNEME_OK;
}

static void close_viewing(struct viewing *v) {
    for (size_t f = 0; f < v->report.n_facts; f++) slot_fact_free(&v->report.facts[f]);
    free(v->report.facts);
    free(v->report.overlap.common);
    slot_reader_close(&v->reader);
    background_close(&v->background);
    experiment_close(&v->experiment);
}

static mneme_status add_fact(struct viewing *v, const char *set, size_t number,
                             const struct fact *fact, const struct token_texts *texts, size_t first,
                             size_t end, mneme_error *error) {
    struct slot_reads reads;
    struct slot_fact *made = &v->report.facts[v->report.n_facts++];
    *made = (struct slot_fact){.set = set,
                               .number = number,
                               .prompt = fact->shown != NULL ? fact->shown : fact->prompt,
                               .answer = fact->answers[0]};
    TRY(slot_reader_read(&v->reader, texts, first, end, &reads, error));
    mneme_status status = slot_fact_make(&reads, &v->background, v->rule, made, error);
    slot_reads_free(&reads);
    return status;
}

static mneme_status check_number(const mneme_slots_options *options, const char *set, size_t number,
                                 size_t n, mneme_error *error) {
    if (number < n) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: has no %s fact %zu; there are %zu, from 0",
                     options->directory, set, number, n);
}

static mneme_status view_new(const mneme_slots_options *options, struct viewing *v,
                             mneme_error *error) {
    const struct lessons *lessons = &v->experiment.lessons;
    for (size_t i = 0; i < options->n_new_facts; i++) {
        size_t number = options->new_facts[i];
        TRY(check_number(options, "new", number, lessons->n, error));
        TRY(add_fact(v, "new", number, &v->experiment.fresh.facts[lessons->first_fact[number]],
                     &lessons->texts, lessons->first_text[number], lessons->first_text[number + 1],
                     error));
    }
    return MNEME_OK;
}

static mneme_status view_one_known(struct viewing *v, size_t number, mneme_error *error) {
    const struct experiment *e = &v->experiment;
    const struct fact *fact = &e->known.facts[number];
    struct token_texts texts = {0};
    mneme_status status = token_texts_add(&texts, e->tokenizer, fact->n_texts, fact->texts,
                                          e->recipe.model.max_seq_len, error);
    THEN(add_fact(v, "known", number, fact, &texts, 0, texts.n, error));
    token_texts_free(&texts);
    return status;
}

static mneme_status view_known(const mneme_slots_options *options, struct viewing *v,
                               mneme_error *error) {
    for (size_t i = 0; i < options->n_known_facts; i++) {
        TRY(check_number(options, "known", options->known_facts[i], v->experiment.known.n, error));
        TRY(view_one_known(v, options->known_facts[i], error));
    }
    return MNEME_OK;
}

/* Slots in a trainable set. */
static size_t most_trainable(const struct viewing *v) {
    return v->rule.t * (v->background.n_slots / v->rule.of);
}

/* Trainable sets of the first n new facts; sets [n, most_trainable], sizes [n]. */
static mneme_status find_sets(struct viewing *v, size_t n, int32_t *sets, size_t *sizes,
                              mneme_error *error) {
    const struct lessons *lessons = &v->experiment.lessons;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        struct slot_reads reads;
        status = slot_reader_read(&v->reader, &lessons->texts, lessons->first_text[i],
                                  lessons->first_text[i + 1], &reads, error);
        if (status != MNEME_OK) break;
        struct ranked_slot *ranked = calloc(reads.n_slots + 1, sizeof *ranked);
        if (ranked == NULL) {
            status = error_set_memory(error, "the slots");
        } else {
            sizes[i] = slot_trainable_set(&reads, &v->background, v->rule, ranked,
                                          sets + i * most_trainable(v));
        }
        free(ranked);
        slot_reads_free(&reads);
        experiment_progress(&v->experiment, "slots", "facts", i + 1, n, 0, NULL);
    }
    return status;
}

static mneme_status view_overlap(const mneme_slots_options *options, struct viewing *v,
                                 mneme_error *error) {
    struct slot_overlap *overlap = &v->report.overlap;
    size_t n = options->overlap, t = most_trainable(v);
    if (n > v->experiment.lessons.n) n = v->experiment.lessons.n;
    if (n == 0) return MNEME_OK;
    *overlap = (struct slot_overlap){.n = n, .t = t, .common = calloc(n, n * sizeof(uint32_t))};
    int32_t *sets = calloc(n, t * sizeof *sets);
    size_t *sizes = calloc(n, sizeof *sizes);
    mneme_status status = overlap->common == NULL || sets == NULL || sizes == NULL
                              ? error_set_memory(error, "the overlap")
                              : find_sets(v, n, sets, sizes, error);
    for (size_t i = 0; status == MNEME_OK && i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            overlap->common[i * n + j] =
                (uint32_t)slot_common(sizes[i], sets + i * t, sizes[j], sets + j * t);
        }
    }
    free(sizes);
    free(sets);
    return status;
}

static size_t longest_text(const struct viewing *v) {
    size_t longest = token_texts_longest(&v->experiment.lessons.texts);
    size_t limit = v->experiment.recipe.model.max_seq_len;
    return longest > limit ? longest : limit;
}

static PATH_OUT_OF_LINE mneme_status write_report(const struct viewing *v, const char *directory,
                                                  mneme_error *error) {
    struct path folder = path_in(directory, FOLDER_SLOTS);
    const char *const paths[] = {folder.text};
    TRY(manifest_forget(directory, paths, 1, error));
    TRY(directory_make(folder.text, error));
    TRY(slot_report_write(&v->report, folder.text, error));
    TRY(slot_plot_draw(&v->report, folder.text, error));
    return manifest_sign(directory, paths, 1, error);
}

static mneme_status view(const mneme_slots_options *options, struct viewing *v, char **report,
                         mneme_error *error) {
    TRY(open_viewing(options, v, error));
    TRY(slot_reader_open(&v->reader, &v->experiment, longest_text(v), error));
    v->report.facts =
        calloc(options->n_new_facts + options->n_known_facts + 1, sizeof *v->report.facts);
    if (v->report.facts == NULL) return error_set_memory(error, "the facts");
    TRY(view_new(options, v, error));
    TRY(view_known(options, v, error));
    TRY(view_overlap(options, v, error));
    TRY(write_report(v, options->directory, error));
    *report = slot_report_text(&v->report);
    return *report == NULL ? error_set_memory(error, "the report") : MNEME_OK;
}

mneme_status slots_view(const mneme_slots_options *options, char **report, mneme_error *error) {
    struct viewing viewing = {0};
    mneme_status status = view(options, &viewing, report, error);
    close_viewing(&viewing);
    return status;
}
