#include "profile/probes.h"

#ifdef PROBES_ARE_BUILT

#define _SDT_HAS_SEMAPHORES 1 /* NOLINT(bugprone-reserved-identifier): sys/sdt.h's name */
#include <sys/sdt.h>

/* Where perf and bpftrace look for them. */
#define SEMAPHORE __attribute__((section(".probes")))
SEMAPHORE volatile unsigned short mneme_kernel_begin_semaphore;
SEMAPHORE volatile unsigned short mneme_kernel_end_semaphore;
SEMAPHORE volatile unsigned short mneme_layer_semaphore;

void probe_kernel_begin(const char *name, const uint64_t *sizes) {
    DTRACE_PROBE7(mneme, kernel_begin, name, sizes[0], sizes[1], sizes[2], sizes[3], sizes[4],
                  sizes[5]);
}

void probe_kernel_end(const char *name) {
    DTRACE_PROBE1(mneme, kernel_end, name);
}

void probe_layer(const char *part, size_t number) {
    DTRACE_PROBE2(mneme, layer, part, number);
}

#else

void probe_kernel_begin(const char *name, const uint64_t *sizes) {
    (void)name, (void)sizes;
}

void probe_kernel_end(const char *name) {
    (void)name;
}

void probe_layer(const char *part, size_t number) {
    (void)part, (void)number;
}

#endif
