#include "base/pin.h"

#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIBLINGS_SIZE 64

/* A CPU that the process may use. */
struct cpu {
    int number;
    int rank;                     /* how many others of its core stand before it */
    char siblings[SIBLINGS_SIZE]; /* the CPUs of its core, as Linux lists them */
};

static char pinned[4096];

const char *pin_list(void) {
    return pinned;
}

/* Where it cannot be read, each CPU counts as a core. */
static void read_siblings(struct cpu *cpu) {
    char path[128];
    snprintf(cpu->siblings, sizeof cpu->siblings, "%d", cpu->number);
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
             cpu->number);
    FILE *stream = fopen(path, "re");
    if (stream == NULL) return;
    if (fgets(cpu->siblings, sizeof cpu->siblings, stream) == NULL) {
        snprintf(cpu->siblings, sizeof cpu->siblings, "%d", cpu->number);
    }
    fclose(stream);
}

static int by_rank(const void *a, const void *b) {
    const struct cpu *x = a, *y = b;
    return x->rank != y->rank ? x->rank - y->rank : x->number - y->number;
}

/* In the order in which threads take them; returns their number. */
static size_t list_cpus(const cpu_set_t *allowed, struct cpu *cpus) {
    size_t n = 0;
    for (int number = 0; number < CPU_SETSIZE; number++) {
        if (!CPU_ISSET((size_t)number, allowed)) continue;
        cpus[n] = (struct cpu){.number = number};
        read_siblings(&cpus[n]);
        for (size_t i = 0; i < n; i++) {
            cpus[n].rank += strcmp(cpus[i].siblings, cpus[n].siblings) == 0;
        }
        n++;
    }
    qsort(cpus, n, sizeof *cpus, by_rank);
    return n;
}

/* Returns how many threads could not be pinned. */
static int pin_team(size_t n, const struct cpu *cpus) {
    int failures = 0;
#pragma omp parallel num_threads((int)n) reduction(| : failures)
    {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET((size_t)cpus[omp_get_thread_num()].number, &one);
        failures |= sched_setaffinity(0, sizeof one, &one) != 0;
    }
    return failures;
}

static void write_list(size_t n, const struct cpu *cpus) {
    size_t length = 0;
    for (size_t i = 0; i < n && length < sizeof pinned; i++) {
        length += (size_t)snprintf(pinned + length, sizeof pinned - length, "%s%d",
                                   i > 0 ? "," : "", cpus[i].number);
    }
}

mneme_status pin_threads(mneme_error *error) {
    size_t threads = (size_t)omp_get_max_threads();
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return error_set_errno(error, "threads", "cannot be pinned");
    }
    struct cpu *cpus = calloc(CPU_SETSIZE, sizeof *cpus);
    if (cpus == NULL) return error_set_memory(error, "pinned threads");
    size_t n = list_cpus(&allowed, cpus);
    mneme_status status = MNEME_OK;
    if (n < threads) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%zu threads cannot be pinned to %zu CPUs, which are all that this "
                           "process may use (set OMP_NUM_THREADS=%zu)",
                           threads, n, n);
    } else if (pin_team(threads, cpus) != 0) {
        status = error_set_errno(error, "threads", "cannot be pinned");
    } else {
        write_list(threads, cpus);
    }
    free(cpus);
    return status;
}
