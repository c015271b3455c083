#ifndef PROFILE_PROBES_H
#define PROFILE_PROBES_H

/* Static probes of the provider `mneme` (perf list, bpftrace -l 'usdt:PROGRAM:*'): a nop in the
 * code and a note in the program, where <sys/sdt.h> is there at build time; otherwise nothing. */

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define PROBES_ARE_BUILT 1
#endif
#endif

#ifdef PROBES_ARE_BUILT
/* The kernel's name and its sizes as in kernels.def. */
#define PROBE_KERNEL_BEGIN(name, sizes)                                                      \
    DTRACE_PROBE7(mneme, kernel_begin, name, (sizes)[0], (sizes)[1], (sizes)[2], (sizes)[3], \
                  (sizes)[4], (sizes)[5])
#define PROBE_KERNEL_END(name) DTRACE_PROBE1(mneme, kernel_end, name)
/* The part's name and the layer's number. */
#define PROBE_LAYER(name, number) DTRACE_PROBE2(mneme, layer, name, number)
#else
#define PROBE_KERNEL_BEGIN(name, sizes) ((void)(name), (void)(sizes))
#define PROBE_KERNEL_END(name) ((void)(name))
#define PROBE_LAYER(name, number) ((void)(name), (void)(number))
#endif

#endif
