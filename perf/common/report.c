#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/info.h>

#include "perf/common/internal.h"

/* How mneme stands to one peer, over the cases so far. */
static struct standing {
    double log_sum, least;
    char least_case[80];
} standings[BENCH_MAX_CONTESTANTS];
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

static void count(size_t contestant, const char *name, double ratio) {
    struct standing *standing = &standings[contestant];
    standing->log_sum += log(ratio);
    if (n_rows > 0 && ratio >= standing->least) return;
    standing->least = ratio;
    snprintf(standing->least_case, sizeof standing->least_case, "%s", name);
}

static void json_row(const struct bench_program *program, const struct bench_case *c,
                     const double *seconds) {
    printf("%s{\"case\": \"%s\", ", n_rows > 0 ? ",\n  " : "\n  ", c->name);
    report_parameters(c);
    printf("\"flops\": %.0f, \"bytes\": %.0f", c->flops, c->bytes);
    for (size_t i = 0; i < program->n_contestants; i++) {
        const char *name = program->contestants[i].name;
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
        printf("  %-11.3f", seconds[i] / seconds[0]);
    }
    putchar('\n');
}

void report_row(const struct bench_options *options, const struct bench_program *program,
                const struct bench_case *c, const double *seconds) {
    for (size_t i = 1; i < program->n_contestants; i++) {
        count(i, c->name, seconds[i] / seconds[0]);
    }
    if (options->json) {
        json_row(program, c, seconds);
    } else {
        table_row(program, c, seconds);
    }
    n_rows++;
    fflush(stdout);
}

static void json_standing(const struct contestant *peer, const struct standing *s, double mean) {
    printf("\"%s\": {\"geometric_mean\": %.4f, \"least\": %.4f, \"least_case\": \"%s\"", peer->name,
           mean, s->least, s->least_case);
    if (peer->target_mean > 0.0) printf(", \"target_mean\": %g", peer->target_mean);
    if (peer->target_least > 0.0) printf(", \"target_least\": %g", peer->target_least);
    putchar('}');
}

static void table_standing(const struct contestant *peer, const struct standing *s, double mean) {
    printf("%zu cases: geometric mean %.3f of %s, least %.3f (%s)\n", n_rows, mean, peer->name,
           s->least, s->least_case);
    if (peer->target_mean > 0.0 || peer->target_least > 0.0) {
        bool met = mean >= peer->target_mean && s->least >= peer->target_least;
        printf("target: geometric mean %g, least %g of %s: %s\n", peer->target_mean,
               peer->target_least, peer->name, met ? "met" : "missed");
    }
}

void report_end(const struct bench_options *options, const struct bench_program *program) {
    if (options->json) fputs("], \"summary\": {", stdout);
    for (size_t i = 1; n_rows > 0 && i < program->n_contestants; i++) {
        double mean = exp(standings[i].log_sum / (double)n_rows);
        if (options->json) {
            if (i > 1) fputs(", ", stdout);
            json_standing(&program->contestants[i], &standings[i], mean);
        } else {
            table_standing(&program->contestants[i], &standings[i], mean);
        }
    }
    if (options->json) puts("}}");
}
