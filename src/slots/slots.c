#include "slots/slots.h"

#include <stdlib.h>

#include "base/path.h"
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
    struct slot_report report;
};

static mneme_status open_viewing(const mneme_slots_options *options, struct viewing *v,
                                 mneme_error *error) {
    const mneme_run_options folder = {.directory = options->directory,
                                      .overrides = options->overrides,
                                      .n_overrides = options->n_overrides,
                                      .progress = options->progress,
                                      .user = options->user};
    mneme_status status = experiment_open(&folder, IDENTITY_BASE, &v->experiment, error);
    if (status != MNEME_OK) return status;
    if (v->experiment.recipe.model.memory.n_layers == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: the model has no memory layer",
                         options->directory);
    }
    char *base = experiment_path(&v->experiment, "base");
    status = base == NULL ? error_set_memory(error, "a path")
                          : model_folder_load(&v->experiment, base, error);
    free(base);
    if (status == MNEME_OK) status = background_stage_run(&v->experiment, &v->background, error);
    if (status == MNEME_OK) slot_usage_count(&v->background, &v->report.usage);
    v->report.recipe = v->experiment.recipe.name;
    v->report.tokenizer = v->experiment.tokenizer;
    v->report.t = v->experiment.recipe.finetune.smf.t;
    v->report.top = options->top;
    return status;
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
    *made = (struct slot_fact){
        .set = set, .number = number, .prompt = fact->prompt, .answer = fact->answers[0]};
    mneme_status status = slot_reader_read(&v->reader, texts, first, end, &reads, error);
    if (status != MNEME_OK) return status;
    status = slot_fact_make(&reads, &v->background, v->report.t, made, error);
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
    const struct lesson_tokens *lessons = &v->experiment.lessons;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < options->n_new_facts && status == MNEME_OK; i++) {
        size_t number = options->new_facts[i];
        status = check_number(options, "new", number, lessons->n, error);
        if (status != MNEME_OK) break;
        status = add_fact(v, "new", number, &v->experiment.fresh.facts[lessons->first_fact[number]],
                          &lessons->texts, lessons->first_text[number],
                          lessons->first_text[number + 1], error);
    }
    return status;
}

static mneme_status view_known(const mneme_slots_options *options, struct viewing *v,
                               mneme_error *error) {
    const struct experiment *e = &v->experiment;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < options->n_known_facts && status == MNEME_OK; i++) {
        size_t number = options->known_facts[i];
        struct token_texts texts = {0};
        status = check_number(options, "known", number, e->known.n, error);
        if (status != MNEME_OK) break;
        const struct fact *fact = &e->known.facts[number];
        status = token_texts_add(&texts, e->tokenizer, fact->n_texts, fact->texts,
                                 e->recipe.model.max_seq_len, error);
        if (status == MNEME_OK) {
            status = add_fact(v, "known", number, fact, &texts, 0, texts.n, error);
        }
        token_texts_free(&texts);
    }
    return status;
}

/* Trainable sets of the first n new facts; sets [n, t], sizes [n]. */
static mneme_status find_sets(struct viewing *v, size_t n, int32_t *sets, size_t *sizes,
                              mneme_error *error) {
    const struct lesson_tokens *lessons = &v->experiment.lessons;
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
            sizes[i] = slot_trainable_set(&reads, &v->background, v->report.t, ranked,
                                          sets + i * v->report.t);
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
    size_t n = options->overlap, t = v->report.t;
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

static mneme_status view(const mneme_slots_options *options, struct viewing *v, char **report,
                         mneme_error *error) {
    size_t n_facts = options->n_new_facts + options->n_known_facts;
    mneme_status status = open_viewing(options, v, error);
    if (status == MNEME_OK) {
        status = slot_reader_open(&v->reader, &v->experiment, longest_text(v), error);
    }
    v->report.facts = calloc(n_facts + 1, sizeof *v->report.facts);
    if (status == MNEME_OK && v->report.facts == NULL)
        status = error_set_memory(error, "the facts");
    if (status == MNEME_OK) status = view_new(options, v, error);
    if (status == MNEME_OK) status = view_known(options, v, error);
    if (status == MNEME_OK) status = view_overlap(options, v, error);
    char *folder = path_join(options->directory, "slots");
    if (status == MNEME_OK && folder == NULL) status = error_set_memory(error, "a path");
    if (status == MNEME_OK) status = directory_make(folder, error);
    if (status == MNEME_OK) status = slot_report_write(&v->report, folder, error);
    if (status == MNEME_OK) status = slot_plot_draw(&v->report, folder, error);
    if (status == MNEME_OK) {
        *report = slot_report_text(&v->report);
        if (*report == NULL) status = error_set_memory(error, "the report");
    }
    free(folder);
    return status;
}

mneme_status slots_view(const mneme_slots_options *options, char **report, mneme_error *error) {
    struct viewing viewing = {0};
    mneme_status status = view(options, &viewing, report, error);
    close_viewing(&viewing);
    return status;
}
