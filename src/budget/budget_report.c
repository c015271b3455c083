#include "budget/budget_report.h"

#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/json_write.h"
#include "base/text.h"
#include "budget/bytes_text.h"
#include "report/table.h"

/* Parts of a stage that have a place in the table. */
#define SHOWN_PARTS 4

static void add_parts(struct table *table, const struct budget_stage *stage) {
    struct text text = {0};
    char bytes[BYTES_TEXT];
    for (size_t i = 0; i < stage->n_parts && i < SHOWN_PARTS; i++) {
        text_add(&text, "%s%s %s", i > 0 ? ", " : "", stage->parts[i].name,
                 bytes_text(stage->parts[i].at_peak, bytes));
    }
    char *parts = text_take(&text);
    table->failed |= parts == NULL;
    table_add(table, "%s", parts == NULL ? "" : parts);
    free(parts);
}

static void add_stage(struct table *table, const struct budget_stage *stage, bool has_roof) {
    char memory[BYTES_TEXT], flops[BYTES_TEXT], seconds[BYTES_TEXT], disk[BYTES_TEXT];
    table_add(table, "%s", stage->name);
    table_add(table, "%s", bytes_text(stage->memory, memory));
    table_add(table, "%s", count_text(stage->flops, flops));
    table_add(table, "%s", has_roof ? seconds_text(stage->seconds, seconds) : "-");
    table_add(table, "%s", bytes_text(stage->disk + stage->scratch_disk, disk));
    add_parts(table, stage);
}

static double total_seconds(const struct budget *budget) {
    double sum = 0.0;
    for (size_t i = 0; i < budget->n_stages; i++) sum += budget->stages[i].seconds;
    return sum;
}

static double total_flops(const struct budget *budget) {
    double sum = 0.0;
    for (size_t i = 0; i < budget->n_stages; i++) sum += budget->stages[i].flops;
    return sum;
}

static void add_summary(const struct budget *budget, struct text *text) {
    char needed[BYTES_TEXT], there[BYTES_TEXT], time[BYTES_TEXT];
    text_add(text, "\nmemory  %s%s at the peak, of %s (%s)\n",
             budget->is_refused ? "more than " : "", bytes_text(budget_peak(budget), needed),
             bytes_text(budget->room.memory, there), budget->room.bound);
    text_add(text, "disk    %s", bytes_text(budget_disk(budget), needed));
    if (budget->room.disk != SIZE_MAX) {
        text_add(text, ", of %s that are free", bytes_text(budget->room.disk, there));
    }
    text_add(text, "\n");
    if (budget->has_roof) {
        text_add(text,
                 "time    about %s, an estimate from this machine's speed now: %.0f GFLOP/s, %.1f "
                 "GB/s, %zu threads\n",
                 seconds_text(total_seconds(budget), time), budget->roof.gflops,
                 budget->roof.read_gb_per_second, budget->roof.threads);
    }
    if (!budget_fits(budget)) text_add(text, "\nThis does not fit.\n");
}

static char *as_table(const struct budget *budget) {
    struct table table = {.n_columns = 6, .last_is_text = true};
    struct text text = {0};
    static const char *const head[] = {"stage", "memory", "flops", "time", "disk", "most of it"};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        table_add(&table, "%s", head[i]);
    }
    for (size_t i = 0; i < budget->n_stages; i++) {
        add_stage(&table, &budget->stages[i], budget->has_roof);
    }
    table_print(&table, &text);
    add_summary(budget, &text);
    text.failed |= table.failed;
    table_free(&table);
    return text_take(&text);
}

static json_t *whole(size_t bytes) {
    return bytes > INT64_MAX ? json_null() : json_integer((json_int_t)bytes);
}

static json_t *seconds_json(const struct budget *budget, double seconds) {
    return budget->has_roof ? json_real(seconds) : json_null();
}

static json_t *stage_json(const struct budget *budget, const struct budget_stage *stage) {
    json_t *parts = json_object();
    int failed = json_object_set_new(parts, "process and texts", whole(budget->room.process));
    for (size_t i = 0; i < stage->n_parts; i++) {
        failed |= json_object_set_new(parts, stage->parts[i].name, whole(stage->parts[i].at_peak));
    }
    if (failed != 0) {
        json_decref(parts);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:o, s:f, s:o, s:o, s:o}", "name", stage->name, "memory",
                     whole(stage->memory), "parts", parts, "flops", stage->flops, "seconds",
                     seconds_json(budget, stage->seconds), "disk", whole(stage->disk),
                     "scratch_disk", whole(stage->scratch_disk));
}

static char *as_json(const struct budget *budget) {
    json_t *stages = json_array();
    int failed = 0;
    for (size_t i = 0; i < budget->n_stages; i++) {
        failed |= json_array_append_new(stages, stage_json(budget, &budget->stages[i]));
    }
    const struct machine_roof *roof = &budget->roof;
    json_t *root = json_pack(
        "{s:o, s:o, s:o, s:f, s:o, s:b, s:{s:o, s:s, s:o}, s:{s:f, s:f, s:I}}", "stages", stages,
        "memory", whole(budget_peak(budget)), "disk", whole(budget_disk(budget)), "flops",
        total_flops(budget), "seconds", seconds_json(budget, total_seconds(budget)), "fits",
        (int)budget_fits(budget), "available", "memory", whole(budget->room.memory), "bound",
        budget->room.bound, "disk", whole(budget->room.disk), "machine", "gflops", roof->gflops,
        "read_gb_per_second", roof->read_gb_per_second, "threads", (json_int_t)roof->threads);
    char *text = failed != 0 || root == NULL ? NULL : json_print(root, JSON_INDENT(2));
    json_decref(root);
    struct text lines = {0};
    if (text == NULL) return NULL;
    text_add(&lines, "%s\n", text);
    free(text);
    return text_take(&lines);
}

char *budget_report(const struct budget *budget, bool json) {
    return json ? as_json(budget) : as_table(budget);
}
