/* A profile as a table and as JSON. */

#include "base/pin.h"
#include "base/text.h"
#include "profile/profile_report.h"

static void add_row(struct text *text, const struct profile_report *report, const char *name,
                    const struct profile_row *row) {
    const struct profile_cell *counts = &row->counts;
    double seconds = profile_seconds(counts);
    text_add(text, "%-24s %9llu %9.3f %6.1f %% %10.2f %8.2f %8.1f %%\n", name,
             (unsigned long long)counts->calls, seconds, 100.0 * seconds / report->seconds,
             profile_gflops(counts), profile_gb_per_second(counts),
             100.0 * profile_roof_share(row));
}

static void add_rest(struct text *text, const struct profile_report *report) {
    double rest = report->seconds - report->kernel_seconds;
    text_add(text, "%-24s %9s %9.3f %6.1f %%\n\n", "outside kernels", "", rest,
             100.0 * rest / report->seconds);
}

static void add_head(struct text *text, const char *name) {
    text_add(text, "%-24s %9s %9s %8s %10s %8s %10s\n", name, "calls", "seconds", "share",
             "GFLOP/s", "GB/s", "of roof");
}

char *profile_table(const struct profile_report *report) {
    struct text text = {0};
    const struct machine_roof *roof = &report->roof;
    add_head(&text, "kernel");
    for (size_t i = 0; i < report->n_kernels; i++) {
        add_row(&text, report, report->kernels[i].kernel, &report->kernels[i]);
    }
    add_rest(&text, report);
    add_head(&text, "layer");
    for (size_t i = 0; i < report->n_layers; i++) {
        add_row(&text, report, report->layers[i].layer, &report->layers[i]);
    }
    add_rest(&text, report);
    text_add(&text,
             "%.3f seconds. Roof, as measured: %.1f GFLOP/s, memory %.1f GB/s (reading %.1f, "
             "writing %.1f,\nchanging %.1f, rows %.1f). Threads: %zu, ",
             report->seconds, roof->gflops, profile_memory_roof(roof), roof->read_gb_per_second,
             roof->write_gb_per_second, roof->update_gb_per_second, roof->rows_gb_per_second,
             roof->threads);
    if (pin_list()[0] == '\0') {
        text_add(&text, "not pinned.\n");
    } else {
        text_add(&text, "pinned to the CPUs %s.\n", pin_list());
    }
    return text_take(&text);
}

static json_t *row_to_json(const struct profile_row *row) {
    json_t *object = json_object();
    const struct profile_cell *counts = &row->counts;
    if (row->layer[0] != '\0') json_object_set_new(object, "layer", json_string(row->layer));
    if (row->kernel[0] != '\0') json_object_set_new(object, "kernel", json_string(row->kernel));
    json_object_set_new(object, "calls", json_integer((json_int_t)counts->calls));
    json_object_set_new(object, "seconds", json_real(profile_seconds(counts)));
    json_object_set_new(object, "flops", json_integer((json_int_t)counts->flops));
    json_object_set_new(object, "bytes", json_integer((json_int_t)counts->bytes));
    json_object_set_new(object, "gflops_per_second", json_real(profile_gflops(counts)));
    json_object_set_new(object, "gb_per_second", json_real(profile_gb_per_second(counts)));
    json_object_set_new(object, "roof_share", json_real(profile_roof_share(row)));
    return object;
}

static json_t *rows_to_json(const struct profile_row *rows, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(list, row_to_json(&rows[i]));
    return list;
}

static json_t *roof_to_json(const struct machine_roof *roof) {
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "gflops_per_second", roof->gflops,
                     "memory_gb_per_second", profile_memory_roof(roof), "read_gb_per_second",
                     roof->read_gb_per_second, "write_gb_per_second", roof->write_gb_per_second,
                     "update_gb_per_second", roof->update_gb_per_second, "rows_gb_per_second",
                     roof->rows_gb_per_second);
}

json_t *profile_to_json(const struct profile_report *report) {
    json_t *root = json_object();
    json_t *pinned = pin_list()[0] == '\0' ? json_null() : json_string(pin_list());
    json_object_set_new(root, "seconds", json_real(report->seconds));
    json_object_set_new(root, "kernel_seconds", json_real(report->kernel_seconds));
    json_object_set_new(root, "threads", json_integer((json_int_t)report->roof.threads));
    json_object_set_new(root, "pinned_cpus", pinned);
    json_object_set_new(root, "roof", roof_to_json(&report->roof));
    json_object_set_new(root, "kernels", rows_to_json(report->kernels, report->n_kernels));
    json_object_set_new(root, "layers", rows_to_json(report->layers, report->n_layers));
    json_object_set_new(root, "cells", rows_to_json(report->cells, report->n_cells));
    return root;
}
