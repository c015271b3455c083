#include "perf/common/bench.h"

#include <errno.h>
#include <getopt.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mneme/info.h>

#include "base/memory.h"
#include "base/random.h"

#define MAX_ROUNDS 99

static void help(const char *program, const char *what) {
    printf(
        "%s: %s\n\n"
        "  --rounds N   turns of every contestant (7 or more; default 7)\n"
        "  --seconds S  length of a turn (default 0.03)\n"
        "  --quick      fewer shapes\n"
        "  --json       as JSON\n\n"
        "OMP_NUM_THREADS and MNEME_ISA choose threads and instruction set.\n",
        program, what);
}

struct bench_options bench_parse(int argc, char **argv, const char *program, const char *what) {
    static const struct option known[] = {
        {"rounds", required_argument, NULL, 'r'}, {"seconds", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},         {"quick", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct bench_options options = {.rounds = 7, .seconds = 0.03};
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == 'h') {
            help(program, what);
            exit(0);
        }
        if (option == 'r') options.rounds = strtoul(optarg, NULL, 10);
        if (option == 's') options.seconds = strtod(optarg, NULL);
        if (option == 'j') options.json = true;
        if (option == 'q') options.quick = true;
        if (option == '?') exit(2);
    }
    if (optind == argc && options.rounds >= 7 && options.rounds <= MAX_ROUNDS &&
        options.seconds >= 0.0 && options.seconds < 1000.0) {
        return options;
    }
    fprintf(stderr, "%s: wrong arguments (see --help)\n", program);
    exit(2);
}

double bench_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of one of `repeats` runs. */
static double turn(const struct contestant *contestant, void *work, size_t repeats) {
    double start = bench_now();
    for (size_t i = 0; i < repeats; i++) contestant->run(work);
    return (bench_now() - start) / (double)repeats;
}

void bench_compare(const struct bench_options *options, const struct contestant *contestants,
                   size_t n, void *work, double seconds[BENCH_MAX_CONTESTANTS]) {
    double times[BENCH_MAX_CONTESTANTS][MAX_ROUNDS];
    size_t repeats[BENCH_MAX_CONTESTANTS];
    for (size_t c = 0; c < n; c++) {
        contestants[c].run(work); /* warms up */
        double once = turn(&contestants[c], work, 1);
        repeats[c] = once >= options->seconds ? 1 : (size_t)(options->seconds / once) + 1;
    }
    for (size_t round = 0; round < options->rounds; round++) {
        for (size_t i = 0; i < n; i++) {
            size_t c = (i + round) % n;
            times[c][round] = turn(&contestants[c], work, repeats[c]);
        }
    }
    for (size_t c = 0; c < n; c++) {
        qsort(times[c], options->rounds, sizeof(double), compare);
        seconds[c] = times[c][options->rounds / 2];
    }
}

float *bench_floats(size_t n, unsigned seed) {
    float *floats = memory_allocate(n, sizeof *floats);
    if (floats == NULL) {
        fprintf(stderr, "out of memory for %zu floats\n", n);
        exit(1);
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) floats[i] = 2.0f * random_uniform(seed, 0, i) - 1.0f;
    return floats;
}

static bool first_row;

void bench_json_begin(const struct bench_options *options, const char *name) {
    mneme_info info;
    mneme_error error;
    if (mneme_info_get(&info, &error) != MNEME_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(2);
    }
    printf(
        "{\"benchmark\": \"%s\", \"cpu\": \"%s\", \"isa\": \"%s\", \"threads\": %zu, "
        "\"compiler\": \"%s\", \"rounds\": %zu, \"rows\": [",
        name, info.cpu, info.isa, info.threads, info.compiler, options->rounds);
    first_row = true;
}

void bench_json_row(void) {
    fputs(first_row ? "\n  " : ",\n  ", stdout);
    first_row = false;
}

void bench_json_end(void) {
    puts("]}");
}
