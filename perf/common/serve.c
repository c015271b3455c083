/* The service to a peer in another process (--serve). */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/common/internal.h"

static void announce(const struct bench_case *c) {
    printf("{\"case\": \"%s\", \"flops\": %.0f, \"bytes\": %.0f, \"parameters\": {", c->name,
           c->flops, c->bytes);
    report_parameters(c);
    puts("\"table_period\": 4194301}}");
    fflush(stdout);
}

static void answer_run(const struct bench_program *program, void *work, size_t n) {
    double start = bench_now();
    for (size_t i = 0; i < n; i++) program->contestants[0].run(work);
    printf("{\"seconds\": %.9g}\n", (bench_now() - start) / (double)n);
}

static void answer_check(const struct bench_program *program, void *work) {
    struct bench_output outputs[BENCH_MAX_OUTPUTS] = {0};
    if (program->reset != NULL) program->reset(work);
    program->contestants[0].run(work);
    size_t n = program->outputs(work, outputs);
    fputs("{\"outputs\": {", stdout);
    for (size_t o = 0; o < n; o++) {
        double sum = 0.0, absolute_sum = 0.0;
        for (size_t i = 0; i < outputs[o].n; i++) {
            double x = outputs[o].floats != NULL ? (double)outputs[o].floats[i]
                                                 : (double)outputs[o].integers[i];
            sum += x;
            absolute_sum += fabs(x);
        }
        printf("%s\"%s\": {\"sum\": %.17g, \"absolute_sum\": %.17g, \"n\": %zu}", o > 0 ? ", " : "",
               outputs[o].name, sum, absolute_sum, outputs[o].n);
    }
    puts("}}");
}

int serve_case(const struct bench_program *program, const struct bench_case *c, void *work) {
    char line[64];
    announce(c);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        size_t n = strncmp(line, "run ", 4) == 0 ? strtoul(line + 4, NULL, 10) : 1;
        if (strcmp(line, "check") == 0) {
            answer_check(program, work);
        } else if (strncmp(line, "run", 3) == 0 && n > 0) {
            answer_run(program, work, n);
        } else {
            fprintf(stderr, "perf_%s: standard input: no command '%s'\n", program->name, line);
            return 2;
        }
        fflush(stdout);
    }
    return 0;
}
