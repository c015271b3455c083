/* bench_main: goes through the cases of a benchmark program. */

#include <stdio.h>
#include <string.h>

#include "perf/common/internal.h"

static struct bench_case describe(const struct bench_program *program, size_t i) {
    struct bench_case c = {0};
    program->describe(i, &c);
    return c;
}

static bool wanted(const struct bench_options *options, const struct bench_case *c) {
    return (!options->quick || c->quick) && name_contains(c->name, options->only);
}

static int serve(const struct bench_program *program, const char *name) {
    for (size_t i = 0; i < program->n_cases; i++) {
        struct bench_case c = describe(program, i);
        if (strcmp(c.name, name) != 0) continue;
        void *work = program->set_up(i);
        int status = serve_case(program, &c, work);
        program->tear_down(work);
        return status;
    }
    fprintf(stderr, "perf_%s: no case '%s' (see --list)\n", program->name, name);
    return 2;
}

static void measure(const struct bench_options *options, const struct bench_program *program,
                    size_t i, const struct bench_case *c) {
    double seconds[BENCH_MAX_CONTESTANTS];
    struct contestant present[BENCH_MAX_CONTESTANTS];
    for (size_t k = 0; k < program->n_contestants; k++) {
        present[k] = program->contestants[k];
        if (!name_contains(c->name, present[k].only)) present[k].run = NULL;
    }
    void *work = program->set_up(i);
    bench_compare(options, present, program->n_contestants, work, seconds);
    report_row(options, program, c, seconds);
    program->tear_down(work);
}

int bench_main(const struct bench_program *program, int argc, char **argv) {
    struct bench_options options = options_parse(program, argc, argv);
    if (options.serve != NULL) return serve(program, options.serve);
    if (!options.list) report_begin(&options, program);
    for (size_t i = 0; i < program->n_cases; i++) {
        struct bench_case c = describe(program, i);
        if (!wanted(&options, &c)) continue;
        if (options.list) {
            puts(c.name);
        } else {
            measure(&options, program, i, &c);
        }
    }
    if (!options.list) report_end(&options, program);
    return 0;
}
