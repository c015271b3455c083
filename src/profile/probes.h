#ifndef PROFILE_PROBES_H
#define PROFILE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Static probes of the provider `mneme`, which perf and bpftrace see: a nop in the code and a note
 * in the program, where <sys/sdt.h> is there at build time; otherwise nothing. */

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#define PROBES_ARE_BUILT 1
#endif
#endif

#ifdef PROBES_ARE_BUILT
/* The operating system counts the tracers of a probe in these; the names are <sys/sdt.h>'s. */
extern volatile unsigned short mneme_kernel_begin_semaphore;
extern volatile unsigned short mneme_kernel_end_semaphore;
extern volatile unsigned short mneme_layer_semaphore;
#endif

/* True while a tracer listens. */
static inline bool probes_trace_kernels(void) {
#ifdef PROBES_ARE_BUILT
    return (mneme_kernel_begin_semaphore | mneme_kernel_end_semaphore) != 0;
#else
    return false;
#endif
}

static inline bool probes_trace_layers(void) {
#ifdef PROBES_ARE_BUILT
    return mneme_layer_semaphore != 0;
#else
    return false;
#endif
}

/* The kernel's name and its sizes [6] as in operations.def. */
void probe_kernel_begin(const char *name, const uint64_t *sizes);
void probe_kernel_end(const char *name);
/* The part's name and the layer's number. */
void probe_layer(const char *part, size_t number);

#endif
