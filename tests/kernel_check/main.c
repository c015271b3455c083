/* kernel_check [--kernel NAME] [--isa NAME] [--seed N] [--list] */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_check/check.h"

static const struct {
    const char *name;
    check_function run;
} kernels[] = {
#define KERNEL(result, name, arguments) {#name, check_##name},
#include "simd/kernels.def"
#undef KERNEL
};

#define N_KERNELS (sizeof kernels / sizeof *kernels)
#define DEFAULT_SEED 20260101

struct options {
    const char *kernel, *isa;
    uint64_t seed;
};

/* One kernel on one instruction set; true if it is right. */
static bool run_check(const struct options *options, size_t index, enum simd_isa isa) {
    struct check check = {.kernel = kernels[index].name,
                          .scalar = simd_table(SIMD_ISA_SCALAR),
                          .other = simd_table(isa),
                          .seed = options->seed};
    check_begin(&check, 0, 0, 0);
    kernels[index].run(&check);
    const char *name = simd_isa_name(isa);
    if (!check.failed) {
        printf("ok kernel_%s_%s (%zu cases)\n", check.kernel, name, check.cases);
        return true;
    }
    printf("not ok kernel_%s_%s: %s\n    again: kernel_check --kernel %s --isa %s --seed %llu\n",
           check.kernel, name, check.message, check.kernel, name,
           (unsigned long long)options->seed);
    return false;
}

static int run_all(const struct options *options) {
    size_t passed = 0, failed = 0;
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        if (options->isa != NULL && strcmp(options->isa, simd_isa_name(isa)) != 0) continue;
        if (simd_table(isa) == NULL) {
            printf("skip: kernels_%s: this build or CPU does not have it\n", simd_isa_name(isa));
            continue;
        }
        for (size_t i = 0; i < N_KERNELS; i++) {
            if (options->kernel != NULL && strcmp(options->kernel, kernels[i].name) != 0) continue;
            if (run_check(options, i, isa)) {
                passed++;
            } else {
                failed++;
            }
        }
    }
    printf("kernel check: %zu passed, %zu failed, seed %llu\n", passed, failed,
           (unsigned long long)options->seed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    static const struct option long_options[] = {{"kernel", required_argument, NULL, 'k'},
                                                 {"isa", required_argument, NULL, 'i'},
                                                 {"seed", required_argument, NULL, 's'},
                                                 {"list", no_argument, NULL, 'l'},
                                                 {0}};
    struct options options = {.seed = DEFAULT_SEED};
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == 'k') options.kernel = optarg;
        if (c == 'i') options.isa = optarg;
        if (c == 's') options.seed = strtoull(optarg, NULL, 10);
        if (c == '?') return 2;
        if (c != 'l') continue;
        for (size_t i = 0; i < N_KERNELS; i++) puts(kernels[i].name);
        return EXIT_SUCCESS;
    }
    check_watch();
    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not take the lines before it along */
    return run_all(&options);
}
