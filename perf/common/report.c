#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/info.h>

#include "perf/common/internal.h"

/* How mneme stands to one peer, over the cases so far. */
struct standing {
    size_t n;
    double log_sum, least;
    char least_case[80];
};
static struct standing standings[BENCH_MAX_CONTESTANTS];
static struct standing targeted[BENCH_MAX_CONTESTANTS]; /* over the target's cases alone */
static size_t n_rows;

static struct { const char *name, *version; } peers[BENCH_MAX_CONTESTANTS];
static size_t n_peers;

void bench_peer(const char *name, const char *version) {
    if (n_peers == BENCH_MAX_CONTESTANTS) bench_stop("%s: too many peers", name);
    peers[n_peers].name = name;
    peers[n_peers++].version = version;
}

void report_parameters(const struct bench_case *c) {
    for (size_t i = 0; i < c->n_parameters; i++) {
        const struct bench_parameter *p = &c->parameters[i];
        if (p->text != NULL) {
            printf("\"%s\": \"%s\", ", p->name, p->text);
        } else {
            printf("\"%s\": %zu, ", p->name, p->value);
        }
    }
}

static void json_begin(const struct bench_options *options, const struct bench_program *program,
                       const mneme_info *info) {
    printf(
        "{\"benchmark\": \"%s\", \"cpu\": \"%s\", \"isa\": \"%s\", \"threads\": %zu, "
        "\"compiler\": \"%s\", \"rounds\": %zu, \"peers\": {",
        program->name, info->cpu, info->isa, info->threads, info->compiler, options->rounds);
    for (size_t i = 0; i < n_peers; i++) {
        printf("%s\"%s\": \"%s\"", i > 0 ? ", " : "", peers[i].name, peers[i].version);
    }
    fputs("}, \"rows\": [", stdout);
}

static void table_begin(const struct bench_program *program, const mneme_info *info) {
    printf("%s, %s, %zu threads\n", info->cpu, info->isa, info->threads);
    for (size_t i = 0; i < n_peers; i++) printf("%s %s\n", peers[i].name, peers[i].version);
    printf("%-36s %10s %8s %8s", program->name, "ms", "GFLOP/s", "GB/s");
    for (size_t c = 1; c < program->n_contestants; c++) {
        printf("  /%-10s", program->contestants[c].name);
    }
    putchar('\n');
}

void report_begin(const struct bench_options *options, const struct bench_program *program) {
    mneme_info info;
    mneme_error error;
    if (mneme_info_get(&info, &error) != MNEME_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(2);
    }
    if (options->json) {
        json_begin(options, program, &info);
    } else {
        table_begin(program, &info);
    }
    fflush(stdout);
}

static void count(struct standing *standing, const char *name, double ratio) {
    standing->log_sum += log(ratio);
    if (standing->n++ > 0 && ratio >= standing->least) return;
    standing->least = ratio;
    snprintf(standing->least_case, sizeof standing->least_case, "%s", name);
}

static double mean(const struct standing *standing) {
    return exp(standing->log_sum / (double)standing->n);
}

static void json_row(const struct bench_program *program, const struct bench_case *c,
                     const double *seconds) {
    printf("%s{\"case\": \"%s\", ", n_rows > 0 ? ",\n  " : "\n  ", c->name);
    report_parameters(c);
    printf("\"flops\": %.0f, \"bytes\": %.0f", c->flops, c->bytes);
    for (size_t i = 0; i < program->n_contestants; i++) {
        const char *name = program->contestants[i].name;
        if (isnan(seconds[i])) continue;
        printf(", \"%s_seconds\": %.9g", name, seconds[i]);
        if (c->flops > 0.0) printf(", \"%s_gflops\": %.3f", name, 1e-9 * c->flops / seconds[i]);
        if (c->bytes > 0.0) {
            printf(", \"%s_gb_per_second\": %.3f", name, 1e-9 * c->bytes / seconds[i]);
        }
        if (i > 0) printf(", \"to_%s\": %.4f", name, seconds[i] / seconds[0]);
    }
    putchar('}');
}

static void table_row(const struct bench_program *program, const struct bench_case *c,
                      const double *seconds) {
    printf("%-36s %10.4f %8.1f %8.1f", c->name, 1e3 * seconds[0], 1e-9 * c->flops / seconds[0],
           1e-9 * c->bytes / seconds[0]);
    for (size_t i = 1; i < program->n_contestants; i++) {
        if (isnan(seconds[i])) {
            printf("  %-11s", "-");
        } else {
            printf("  %-11.3f", seconds[i] / seconds[0]);
        }
    }
    putchar('\n');
}

void report_row(const struct bench_options *options, const struct bench_program *program,
                const struct bench_case *c, const double *seconds) {
    for (size_t i = 1; i < program->n_contestants; i++) {
        if (isnan(seconds[i])) continue;
        count(&standings[i], c->name, seconds[i] / seconds[0]);
        if (!name_contains(c->name, program->contestants[i].target_cases)) continue;
        count(&targeted[i], c->name, seconds[i] / seconds[0]);
    }
    if (options->json) {
        json_row(program, c, seconds);
    } else {
        table_row(program, c, seconds);
    }
    n_rows++;
    fflush(stdout);
}

static bool has_target(const struct contestant *peer) {
    return peer->target_mean > 0.0 || peer->target_least > 0.0;
}

static void json_standing(const struct contestant *peer, const struct standing *all,
                          const struct standing *target) {
    printf(
        "\"%s\": {\"cases\": %zu, \"geometric_mean\": %.4f, \"least\": %.4f, "
        "\"least_case\": \"%s\"",
        peer->name, all->n, mean(all), all->least, all->least_case);
    if (has_target(peer) && target->n > 0) {
        printf(
            ", \"target\": {\"cases\": \"%s\", \"mean\": %g, \"least\": %g, "
            "\"reached_mean\": %.4f, \"reached_least\": %.4f}",
            peer->target_cases != NULL ? peer->target_cases : "all", peer->target_mean,
            peer->target_least, mean(target), target->least);
    }
    putchar('}');
}

static void table_standing(const struct contestant *peer, const struct standing *all,
                           const struct standing *target) {
    printf("%zu cases: geometric mean %.3f of %s, least %.3f (%s)\n", all->n, mean(all), peer->name,
           all->least, all->least_case);
    if (!has_target(peer) || target->n == 0) return;
    bool met = mean(target) >= peer->target_mean && target->least >= peer->target_least;
    printf("target for %s: mean %g, least %g of %s: %s (%.3f, %.3f)\n",
           peer->target_cases != NULL ? peer->target_cases : "all cases", peer->target_mean,
           peer->target_least, peer->name, met ? "met" : "missed", mean(target), target->least);
}

void report_end(const struct bench_options *options, const struct bench_program *program) {
    const char *between = "";
    if (options->json) fputs("], \"summary\": {", stdout);
    for (size_t i = 1; i < program->n_contestants; i++) {
        if (standings[i].n == 0) continue;
        if (options->json) {
            fputs(between, stdout);
            json_standing(&program->contestants[i], &standings[i], &targeted[i]);
            between = ", ";
        } else {
            table_standing(&program->contestants[i], &standings[i], &targeted[i]);
        }
    }
    if (options->json) puts("}}");
}
