#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/probes.h"

/* Where time goes: marks at kernels and layers, which cost one branch each with no profile on. They
 * are also the places of the static probes (probes.h). A mark stands in code that one thread runs:
 * before a parallel region, never in one. */

enum profile_kernel {
#define PROFILE_KERNEL(name, flops, bytes) PROFILE_##name,
#include "profile/operations.def"
#undef PROFILE_KERNEL
    PROFILE_KERNEL_COUNT
};

/* Parts of a model and of a step, in order of computation. */
enum profile_part {
    PROFILE_NOWHERE,
    PROFILE_PACKING,      /* weights that many passes share */
    PROFILE_EMBEDDING,    /* forward and backward */
    PROFILE_ATTENTION,    /* of a layer, with its norm */
    PROFILE_FEED_FORWARD, /* of a layer, or the memory in its place, with its norm */
    PROFILE_OUTPUT,       /* last norm, logits, loss */
    PROFILE_VALUES,       /* gradients and updates of the value tables */
    PROFILE_ADAPTERS,
    PROFILE_OPTIMIZER,
    PROFILE_PART_COUNT
};

/* Counts of one kernel in one layer. */
struct profile_cell {
    uint64_t calls;
    uint64_t nanoseconds; /* without the kernels called from within */
    uint64_t flops, bytes;
};

#define PROFILE_MAX_SIZES 6

/* A kernel under way. */
struct profile_region {
    enum profile_kernel kernel;
    bool watched;           /* by a profile or a tracer */
    bool counted;           /* by a profile */
    uint64_t start;         /* nanoseconds */
    uint64_t inside_before; /* of the kernel around this one: spent in those within it */
    uint64_t sizes[PROFILE_MAX_SIZES];
};

extern atomic_bool profile_on;
extern const char *const profile_kernel_names[PROFILE_KERNEL_COUNT];
extern const char *const profile_part_names[PROFILE_PART_COUNT];

/* Counts from zero, what the calling thread does. */
void profile_start(void);
/* Counting ends; *nanoseconds is the time since profile_start. False if there was no memory to
 * count everything. */
bool profile_stop(uint64_t *nanoseconds);

/* The cell of a kernel in a part; layers count from 0, and are fewer than profile_layers(part).
 * NULL where nothing was counted. */
const struct profile_cell *profile_cell(enum profile_part part, size_t layer,
                                        enum profile_kernel kernel);
size_t profile_layers(enum profile_part part);

/* For the marks below. */
void profile_open_region(struct profile_region *region, const uint64_t *sizes);
void profile_close_region(const struct profile_region *region);
void profile_set_layer(enum profile_part part, size_t layer);

/* True while a profile counts or a tracer listens: for sizes that take work to find. */
static inline bool profile_is_watched(void) {
    return atomic_load_explicit(&profile_on, memory_order_relaxed) || probes_trace_kernels();
}

/* What follows belongs to this part; of the layer with that number if it is a layer's. */
static inline void profile_layer(enum profile_part part, size_t layer) {
    if (atomic_load_explicit(&profile_on, memory_order_relaxed) || probes_trace_layers()) {
        profile_set_layer(part, layer);
    }
}

static inline struct profile_region profile_begin(enum profile_kernel kernel,
                                                  const uint64_t *sizes) {
    struct profile_region region = {.kernel = kernel, .watched = profile_is_watched()};
    if (region.watched) profile_open_region(&region, sizes);
    return region;
}

static inline void profile_end(const struct profile_region *region) {
    if (region->watched) profile_close_region(region);
}

/* The rest of the block is this kernel, with these sizes (operations.def). Some compilers do not
 * count the cleanup as a use. */
#define PROFILE(name, ...)                                                                     \
    const struct profile_region profile_region __attribute__((cleanup(profile_end), unused)) = \
        profile_begin(PROFILE_##name, (const uint64_t[PROFILE_MAX_SIZES]){__VA_ARGS__})

#endif
