#ifndef PERF_COMMON_BENCH_H
#define PERF_COMMON_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Benchmarks that compare contestants on the same work: they take turns in one process, round by
 * round, and the medians are compared, so that a noisy machine is unfair to none of them.
 *
 * A program is a table of named cases and the functions of struct bench_program; bench_main does
 * the rest: options, table, JSON, and the service to a peer in another process (--serve). */

/* ---- contestants ---- */

struct contestant {
    const char *name; /* "mneme", "onednn"…: a word */
    void (*run)(void *work);
    const char *only; /* takes part in cases whose name contains one of "a|b"; NULL: in all */
    /* What mneme is to reach, as multiples of this contestant's speed; 0: no target. */
    double target_mean; /* geometric mean over the cases */
    double target_least;
    const char *target_cases; /* those whose name contains one of "a|b"; NULL: all */
};

#define BENCH_MAX_CONTESTANTS 8

struct bench_options {
    size_t rounds;  /* at least 7 */
    double seconds; /* that a contestant's turn lasts, about */
    bool json;
    bool quick;        /* fewer cases, for seeing that it works */
    bool list;         /* names only */
    const char *only;  /* cases whose name contains this; NULL: all */
    const char *serve; /* the case that a peer drives; NULL: none */
};

/* Median seconds of one run of each contestant, NaN for one that is NULL in `run`. */
void bench_compare(const struct bench_options *options, const struct contestant *contestants,
                   size_t n, void *work, double seconds[BENCH_MAX_CONTESTANTS]);

/* Seconds of a monotonic clock. */
double bench_now(void);

/* Ends the program with status 1 and a message. */
_Noreturn void bench_stop(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- inputs: the same for the same seed, here and wherever they are computed again ---- */

/* 64-byte aligned, zero; ends the program without memory. */
void *bench_allocate(size_t count, size_t size);

/* floats[i] = 2 * random_uniform(seed, 0, i) - 1. */
float *bench_floats(size_t n, unsigned seed);

/* A big table: floats[i] = bench_floats(BENCH_TABLE_PERIOD, seed)[i mod BENCH_TABLE_PERIOD]. The
 * period is no multiple of a row's width, so that rows differ. */
#define BENCH_TABLE_PERIOD ((size_t)4194301)
float *bench_table(size_t n, unsigned seed);

/* n numbers below `bound`, a power of two: with d = random_draw(seed, 0, i) / 2^32 in double,
 * uniform: floor(bound * d); skewed, about as often as 1 / rank^(7/8): floor(bound * d^8), d^8 as
 * three squarings, times the odd number 2654435769 modulo bound, so that the frequent ones lie
 * apart. */
int32_t *bench_indices(size_t n, unsigned seed, size_t bound, bool skewed);

/* ---- a program ---- */

#define BENCH_MAX_PARAMETERS 16
#define BENCH_MAX_OUTPUTS 8

struct bench_parameter {
    const char *name;
    const char *text; /* NULL: a number */
    size_t value;
};

struct bench_case {
    char name[80];
    double flops; /* of one run */
    double bytes; /* that one run must move from and to memory */
    bool quick;   /* is among those of --quick */
    size_t n_parameters;
    struct bench_parameter parameters[BENCH_MAX_PARAMETERS];
};

/* Adds what a peer must know to do the same work. */
void bench_number(struct bench_case *c, const char *name, size_t value);
void bench_text(struct bench_case *c, const char *name, const char *text);

/* An array that a run leaves behind: floats or integers. */
struct bench_output {
    const char *name;
    size_t n;
    const float *floats;
    const int32_t *integers;
};

struct bench_program {
    const char *name; /* "gather" */
    const char *what; /* one line for --help */
    size_t n_cases;
    /* Case i < n_cases; *c is zero. */
    void (*describe)(size_t i, struct bench_case *c);
    /* The work of case i, for all contestants; ends the program on failure. */
    void *(*set_up)(size_t i);
    void (*tear_down)(void *work);
    /* Brings the work back to what set_up made; NULL when every run gives the same outputs. */
    void (*reset)(void *work);
    /* Of mneme's run; returns how many. */
    size_t (*outputs)(void *work, struct bench_output outputs[BENCH_MAX_OUTPUTS]);
    const struct contestant *contestants; /* the first is mneme */
    size_t n_contestants;
};

/* A contestant for arithmetic: as many multiply-adds in registers as make this many operations, by
 * all threads. */
void bench_fma_roof(double flops);

/* Names a library that takes part, and its version. */
void bench_peer(const char *name, const char *version);

int bench_main(const struct bench_program *program, int argc, char **argv);

#endif
