#ifndef PERF_COMMON_BENCH_H
#define PERF_COMMON_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Benchmarks that compare contestants on the same work: they take turns in one process, round by
 * round, and the medians are compared, so that a noisy machine is unfair to none of them. */

struct contestant {
    const char *name; /* "mneme", "onednn"… */
    void (*run)(void *work);
};

#define BENCH_MAX_CONTESTANTS 8

struct bench_options {
    size_t rounds;  /* at least 7 */
    double seconds; /* that a contestant's turn lasts, about */
    bool json;
    bool quick; /* fewer shapes, for seeing that it works */
};

/* Reads --rounds N, --seconds S, --json, --quick; prints help or a complaint and exits otherwise.
 */
struct bench_options bench_parse(int argc, char **argv, const char *program, const char *what);

/* Median seconds of one run of each contestant. */
void bench_compare(const struct bench_options *options, const struct contestant *contestants,
                   size_t n, void *work, double seconds[BENCH_MAX_CONTESTANTS]);

/* Seconds of a monotonic clock. */
double bench_now(void);

/* 64-byte aligned floats, uniform in [-1, 1), the same for the same seed; ends the program without
 * memory. */
float *bench_floats(size_t n, unsigned seed);

/* The start and the end of the JSON output: {"benchmark", "machine", "rounds", "rows": [ … ]}. */
void bench_json_begin(const struct bench_options *options, const char *name);
void bench_json_row(void);
void bench_json_end(void);

#endif
