#include "slots/slot_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "report/report_file.h"
#include "report/table.h"

/* The text of one token, or "<id>" where it is no text of its own; the caller frees it. */
static char *token_text(const struct slot_report *report, int32_t id) {
    char *said = NULL;
    mneme_error error;
    struct text text = {0};
    if (tokenizer_decode(report->tokenizer, &id, 1, &said, NULL, &error) != MNEME_OK) said = NULL;
    json_t *valid = said == NULL ? NULL : json_string(said);
    if (valid == NULL || said[0] == '\0' || strpbrk(said, "|\n\r`") != NULL) {
        text_add(&text, "<%d>", (int)id);
    } else {
        text_add(&text, "%s", said);
    }
    json_decref(valid);
    free(said);
    return text_take(&text);
}

/* "Hedda" 36, " Oslo" 12 */
static void add_tokens(const struct slot_report *report, const struct slot_of_fact *slot,
                       char quote, struct text *text) {
    for (size_t i = 0; i < slot->n_tokens; i++) {
        char *token = token_text(report, slot->tokens[i]);
        text->failed |= token == NULL;
        text_add(text, "%s%c%s%c %zu", i > 0 ? ", " : "", quote, token == NULL ? "" : token, quote,
                 slot->token_reads[i]);
        free(token);
    }
}

static void bin_name(size_t bin, char *name, size_t size) {
    size_t low = bin == 0 ? 0 : (size_t)1 << (bin - 1), high = bin == 0 ? 0 : 2 * low - 1;
    if (low == high) {
        snprintf(name, size, "%zu", low);
    } else {
        snprintf(name, size, "%zu-%zu", low, high);
    }
}

static double all_reads(const struct slot_usage *usage) {
    double total = 0.0;
    for (size_t b = 0; b < usage->n_bins; b++) total += usage->reads[b];
    return total;
}

static void usage_table(const struct slot_usage *usage, struct table *table) {
    double total = all_reads(usage);
    table->n_columns = 4;
    table_add(table, "read by batches");
    table_add(table, "slots");
    table_add(table, "of all slots");
    table_add(table, "of all reads");
    for (size_t b = 0; b < usage->n_bins; b++) {
        char name[48];
        bin_name(b, name, sizeof name);
        table_add(table, "%s", name);
        table_add(table, "%zu", usage->slots[b]);
        table_add(table, "%.1f %%", 100.0 * (double)usage->slots[b] / (double)usage->n_slots);
        table_add(table, "%.1f %%", total > 0.0 ? 100.0 * usage->reads[b] / total : 0.0);
    }
}

static void fact_table(const struct slot_report *report, const struct slot_fact *fact,
                       struct table *table) {
    static const char *const head[] = {"slot", "wordings", "reads",
                                       "IDF",  "TF-IDF",   "read by tokens"};
    table->n_columns = sizeof head / sizeof *head;
    table->last_is_text = true;
    for (size_t i = 0; i < table->n_columns; i++) table_add(table, "%s", head[i]);
    for (size_t i = 0; i < fact->n_slots && i < report->top; i++) {
        const struct slot_of_fact *slot = &fact->slots[i];
        struct text tokens = {0};
        table_add(table, "%d%s", (int)slot->slot, slot->trainable ? "" : " (frozen)");
        table_add(table, "%zu/%zu", slot->n_texts, fact->n_texts);
        table_add(table, "%zu", slot->reads);
        table_add(table, "%.2f", (double)slot->idf);
        table_add(table, "%.5f", (double)slot->score);
        add_tokens(report, slot, '"', &tokens);
        char *said = text_take(&tokens);
        table_add(table, "%s", said == NULL ? "" : said);
        free(said);
    }
}

/* Mean IDF over reads: of all the fact's, and of those that its trainable slots get. */
static double mean_idf(const struct slot_fact *fact, bool trainable_only) {
    double sum = 0.0, reads = 0.0;
    for (size_t i = 0; i < fact->n_slots; i++) {
        if (trainable_only && !fact->slots[i].trainable) continue;
        sum += (double)fact->slots[i].idf * (double)fact->slots[i].reads;
        reads += (double)fact->slots[i].reads;
    }
    return reads > 0.0 ? sum / reads : 0.0;
}

static void print_table(const struct table *table, bool markdown, struct text *text) {
    if (markdown) {
        table_print_markdown(table, text);
    } else {
        table_print(table, text);
    }
}

static void add_usage(const struct slot_report *report, bool markdown, struct text *text) {
    const struct slot_usage *usage = &report->usage;
    struct table table = {0};
    text_add(text,
             "%zu slots; %zu background batches: %zu slots (%.1f %%) are read by none, %zu by all; "
             "by the entropy of\nits reads the background uses %.0f slots\n\n",
             usage->n_slots, usage->n_batches, usage->dead,
             100.0 * (double)usage->dead / (double)usage->n_slots, usage->in_all, usage->effective);
    usage_table(usage, &table);
    print_table(&table, markdown, text);
    table_free(&table);
}

static void add_fact(const struct slot_report *report, const struct slot_fact *fact, bool markdown,
                     struct text *text) {
    struct table table = {0};
    text_add(text, "%s%s %zu: %s -> %s\n\n", markdown ? "## " : "", fact->set, fact->number,
             fact->prompt, fact->answer);
    text_add(
        text,
        "%zu wordings, %zu tokens, %zu different slots read, %zu of them by every wording\n"
        "trainable: the %zu with the highest TF-IDF; they get %.1f %% of the reads; mean IDF of "
        "these reads %.2f, of all %.2f\n\n",
        fact->n_texts, fact->n_tokens, fact->n_slots, fact->n_shared, fact->n_trainable,
        100.0 * fact->trainable_share, mean_idf(fact, true), mean_idf(fact, false));
    fact_table(report, fact, &table);
    print_table(&table, markdown, text);
    if (markdown) {
        text_add(text, "\n![IDF against the share of wordings](fact-%s-%zu.png)\n", fact->set,
                 fact->number);
    }
    table_free(&table);
}

static void add_overlap(const struct slot_report *report, struct text *text) {
    const struct slot_overlap *overlap = &report->overlap;
    size_t most, i, j;
    double mean = slot_overlap_mean(overlap, &most, &i, &j);
    if (overlap->n < 2) return;
    text_add(text,
             "trainable sets of the first %zu new facts, %zu slots each: two of them share %.2f "
             "slots on average, at most %zu (facts %zu and %zu)\n",
             overlap->n, overlap->t, mean, most, i, j);
}

static char *make_text(const struct slot_report *report, bool markdown) {
    struct text text = {0};
    text_add(&text, markdown ? "# %s: where the facts are\n\n" : "%s: ", report->recipe);
    add_usage(report, markdown, &text);
    if (markdown) text_add(&text, "\n![usage](usage.png)\n");
    for (size_t f = 0; f < report->n_facts; f++) {
        text_add(&text, "\n");
        add_fact(report, &report->facts[f], markdown, &text);
    }
    text_add(&text, "\n");
    add_overlap(report, &text);
    if (markdown && report->overlap.n > 1) text_add(&text, "\n![overlap](overlap.png)\n");
    return text_take(&text);
}

char *slot_report_text(const struct slot_report *report) {
    return make_text(report, false);
}

/* jansson takes NULL for any value and then fails, so that one check at the end is enough. */

static json_t *usage_to_json(const struct slot_usage *usage) {
    json_t *bins = json_array();
    for (size_t b = 0; b < usage->n_bins; b++) {
        size_t low = b == 0 ? 0 : (size_t)1 << (b - 1);
        json_array_append_new(
            bins, json_pack("{s:I, s:I, s:f}", "least_batches", (json_int_t)low, "slots",
                            (json_int_t)usage->slots[b], "reads", usage->reads[b]));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:o}", "slots", (json_int_t)usage->n_slots,
                     "batches", (json_int_t)usage->n_batches, "dead", (json_int_t)usage->dead,
                     "read_by_all", (json_int_t)usage->in_all, "effective_slots", usage->effective,
                     "bins", bins);
}

static json_t *slot_to_json(const struct slot_report *report, const struct slot_of_fact *slot) {
    json_t *tokens = json_array();
    for (size_t i = 0; i < slot->n_tokens; i++) {
        char *said = token_text(report, slot->tokens[i]);
        json_array_append_new(
            tokens, json_pack("{s:i, s:s, s:I}", "id", (int)slot->tokens[i], "text", said, "reads",
                              (json_int_t)slot->token_reads[i]));
        free(said);
    }
    return json_pack("{s:i, s:I, s:I, s:f, s:f, s:b, s:o}", "slot", (int)slot->slot, "wordings",
                     (json_int_t)slot->n_texts, "reads", (json_int_t)slot->reads, "idf",
                     (double)slot->idf, "tf_idf", (double)slot->score, "trainable",
                     (int)slot->trainable, "tokens", tokens);
}

static json_t *fact_to_json(const struct slot_report *report, const struct slot_fact *fact) {
    json_t *slots = json_array();
    for (size_t i = 0; i < fact->n_slots; i++) {
        json_array_append_new(slots, slot_to_json(report, &fact->slots[i]));
    }
    return json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:o}", "set", fact->set,
                     "number", (json_int_t)fact->number, "prompt", fact->prompt, "answer",
                     fact->answer, "wordings", (json_int_t)fact->n_texts, "slots_read",
                     (json_int_t)fact->n_slots, "shared_by_all_wordings",
                     (json_int_t)fact->n_shared, "trainable", (json_int_t)fact->n_trainable,
                     "trainable_share_of_reads", fact->trainable_share, "slots", slots);
}

static json_t *report_to_json(const struct slot_report *report) {
    json_t *facts = json_array();
    size_t most, i, j;
    double mean = slot_overlap_mean(&report->overlap, &most, &i, &j);
    for (size_t f = 0; f < report->n_facts; f++) {
        json_array_append_new(facts, fact_to_json(report, &report->facts[f]));
    }
    return json_pack("{s:s, s:o, s:o, s:{s:I, s:I, s:f, s:I}}", "recipe", report->recipe, "usage",
                     usage_to_json(&report->usage), "facts", facts, "overlap", "facts",
                     (json_int_t)report->overlap.n, "t", (json_int_t)report->overlap.t, "mean",
                     mean, "most", (json_int_t)most);
}

static char *usage_csv(const struct slot_usage *usage) {
    struct text text = {0};
    text_add(&text, "batches,slots,reads\n");
    for (size_t b = 0; b < usage->n_bins; b++) {
        char name[48];
        bin_name(b, name, sizeof name);
        text_add(&text, "%s,%zu,%.0f\n", name, usage->slots[b], usage->reads[b]);
    }
    return text_take(&text);
}

static char *fact_csv(const struct slot_fact *fact) {
    struct text text = {0};
    text_add(&text, "slot,wordings,reads,idf,tf_idf,trainable\n");
    for (size_t i = 0; i < fact->n_slots; i++) {
        const struct slot_of_fact *slot = &fact->slots[i];
        text_add(&text, "%d,%zu,%zu,%.9g,%.9g,%d\n", (int)slot->slot, slot->n_texts, slot->reads,
                 (double)slot->idf, (double)slot->score, slot->trainable);
    }
    return text_take(&text);
}

/* A matrix without a head. */
static char *overlap_csv(const struct slot_overlap *overlap) {
    struct text text = {0};
    text_add(&text, "%s", "");
    for (size_t i = 0; i < overlap->n; i++) {
        for (size_t j = 0; j < overlap->n; j++) {
            text_add(&text, "%s%u", j > 0 ? "," : "", overlap->common[i * overlap->n + j]);
        }
        text_add(&text, "\n");
    }
    return text_take(&text);
}

mneme_status slot_report_write(const struct slot_report *report, const char *folder,
                               mneme_error *error) {
    TRY(report_file_json(folder, "slots.json", report_to_json(report), error));
    TRY(report_file_text(folder, "usage.csv", usage_csv(&report->usage), error));
    TRY(report_file_text(folder, "overlap.csv", overlap_csv(&report->overlap), error));
    for (size_t f = 0; f < report->n_facts; f++) {
        const struct slot_fact *fact = &report->facts[f];
        struct path name = path_in("", "fact-%s-%zu.csv", fact->set, fact->number);
        TRY(report_file_text(folder, name.text, fact_csv(fact), error));
    }
    return report_file_text(folder, "slots.md", make_text(report, true), error);
}
