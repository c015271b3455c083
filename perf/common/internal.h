#ifndef PERF_COMMON_INTERNAL_H
#define PERF_COMMON_INTERNAL_H

#include "perf/common/bench.h"

/* The parts of bench_main. */

/* Whether the name contains one of the words in text, separated by |; true for NULL. */
bool name_contains(const char *name, const char *text);

/* Reads the command line; prints help or a complaint and ends the program otherwise. */
struct bench_options options_parse(const struct bench_program *program, int argc, char **argv);

/* The results as a table or as JSON. */
void report_begin(const struct bench_options *options, const struct bench_program *program);
void report_row(const struct bench_options *options, const struct bench_program *program,
                const struct bench_case *c, const double *seconds);
/* With the geometric mean and the least of mneme's speed against each peer, and the targets. */
void report_end(const struct bench_options *options, const struct bench_program *program);

/* "name": value, … for JSON, of all parameters, each followed by a comma. */
void report_parameters(const struct bench_case *c);

/* Answers a peer's commands on standard input until it ends:
 *   run [N]  N runs (1): {"seconds": of one}
 *   check    a run: {"outputs": {name: {"sum", "absolute_sum", "n"}, …}} */
int serve_case(const struct bench_program *program, const struct bench_case *c, void *work);

#endif
