#include "profile/profile_report.h"

#include <stdio.h>
#include <stdlib.h>

static double ratio(double a, double b) {
    return b > 0.0 ? a / b : 0.0;
}

double profile_memory_roof(const struct machine_roof *roof) {
    return roof->read_gb_per_second > roof->update_gb_per_second ? roof->read_gb_per_second
                                                                 : roof->update_gb_per_second;
}

static double roof_seconds(const struct machine_roof *roof, const struct profile_cell *counts) {
    double arithmetic = ratio(1e-9 * (double)counts->flops, roof->gflops);
    double memory = ratio(1e-9 * (double)counts->bytes, profile_memory_roof(roof));
    return arithmetic > memory ? arithmetic : memory;
}

double profile_roof_share(const struct profile_row *row) {
    return ratio(row->roof_seconds, profile_seconds(&row->counts));
}

double profile_seconds(const struct profile_cell *counts) {
    return 1e-9 * (double)counts->nanoseconds;
}

double profile_gflops(const struct profile_cell *counts) {
    return ratio((double)counts->flops, (double)counts->nanoseconds);
}

double profile_gb_per_second(const struct profile_cell *counts) {
    return ratio((double)counts->bytes, (double)counts->nanoseconds);
}

static void add(struct profile_row *sum, const struct profile_row *cell) {
    sum->counts.calls += cell->counts.calls;
    sum->counts.nanoseconds += cell->counts.nanoseconds;
    sum->counts.flops += cell->counts.flops;
    sum->counts.bytes += cell->counts.bytes;
    sum->roof_seconds += cell->roof_seconds;
}

static void name_layer(enum profile_part part, size_t layer, char *name, size_t size) {
    if (part == PROFILE_ATTENTION || part == PROFILE_FEED_FORWARD) {
        snprintf(name, size, "layers.%zu.%s", layer, profile_part_names[part]);
    } else {
        snprintf(name, size, "%s", profile_part_names[part]);
    }
}

static int longest_first(const void *a, const void *b) {
    const struct profile_row *x = a, *y = b;
    if (x->counts.nanoseconds != y->counts.nanoseconds) {
        return x->counts.nanoseconds > y->counts.nanoseconds ? -1 : 1;
    }
    return x->kernel < y->kernel ? -1 : x->kernel > y->kernel;
}

/* The cells of one layer, and its sum. */
static void add_layer(struct profile_report *report, enum profile_part part, size_t layer) {
    struct profile_row *sum = &report->layers[report->n_layers];
    size_t first = report->n_cells;
    *sum = (struct profile_row){.kernel = ""};
    name_layer(part, layer, sum->layer, sizeof sum->layer);
    for (enum profile_kernel k = 0; k < PROFILE_KERNEL_COUNT; k++) {
        const struct profile_cell *counts = profile_cell(part, layer, k);
        if (counts == NULL) continue;
        struct profile_row *cell = &report->cells[report->n_cells++];
        *cell = *sum;
        cell->kernel = profile_kernel_names[k];
        cell->counts = *counts;
        cell->roof_seconds = roof_seconds(&report->roof, counts);
        add(&report->kernels[k], cell);
    }
    for (size_t i = first; i < report->n_cells; i++) add(sum, &report->cells[i]);
    qsort(report->cells + first, report->n_cells - first, sizeof *report->cells, longest_first);
    report->n_layers += report->n_cells > first;
}

/* A part's layers follow each other, but a model's attention and feed-forward take turns. */
static void add_all(struct profile_report *report) {
    for (enum profile_part part = 0; part < PROFILE_PART_COUNT; part++) {
        if (part == PROFILE_FEED_FORWARD) continue;
        size_t n = profile_layers(part);
        if (part == PROFILE_ATTENTION && profile_layers(PROFILE_FEED_FORWARD) > n) {
            n = profile_layers(PROFILE_FEED_FORWARD);
        }
        for (size_t l = 0; l < n; l++) {
            add_layer(report, part, l);
            if (part == PROFILE_ATTENTION) add_layer(report, PROFILE_FEED_FORWARD, l);
        }
    }
}

/* Kernels that were called, longest first. */
static void sort_kernels(struct profile_report *report) {
    qsort(report->kernels, PROFILE_KERNEL_COUNT, sizeof *report->kernels, longest_first);
    while (report->n_kernels < PROFILE_KERNEL_COUNT &&
           report->kernels[report->n_kernels].counts.calls > 0) {
        report->n_kernels++;
    }
}

mneme_status profile_report_open(struct profile_report *report, uint64_t nanoseconds,
                                 mneme_error *error) {
    size_t layers = 0;
    for (enum profile_part part = 0; part < PROFILE_PART_COUNT; part++) {
        layers += profile_layers(part);
    }
    *report = (struct profile_report){.seconds = 1e-9 * (double)nanoseconds};
    report->kernels = calloc(PROFILE_KERNEL_COUNT, sizeof *report->kernels);
    report->layers = calloc(layers + 1, sizeof *report->layers);
    report->cells = calloc((layers + 1) * PROFILE_KERNEL_COUNT, sizeof *report->cells);
    if (report->kernels == NULL || report->layers == NULL || report->cells == NULL) {
        profile_report_close(report);
        return error_set_memory(error, "the profile");
    }
    for (enum profile_kernel k = 0; k < PROFILE_KERNEL_COUNT; k++) {
        report->kernels[k].kernel = profile_kernel_names[k];
    }
    mneme_status status = roof_measure(&report->roof, error);
    if (status != MNEME_OK) {
        profile_report_close(report);
        return status;
    }
    add_all(report);
    sort_kernels(report);
    for (size_t i = 0; i < report->n_kernels; i++) {
        report->kernel_seconds += profile_seconds(&report->kernels[i].counts);
    }
    return MNEME_OK;
}

void profile_report_close(struct profile_report *report) {
    free(report->kernels);
    free(report->layers);
    free(report->cells);
    *report = (struct profile_report){0};
}
