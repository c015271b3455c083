#include "profile/profile.h"

#include <stdlib.h>
#include <time.h>

#include "base/memory.h"

atomic_bool profile_on;

const char *const profile_kernel_names[PROFILE_KERNEL_COUNT] = {
#define PROFILE_KERNEL(name, flops, bytes) #name,
#include "profile/operations.def"
#undef PROFILE_KERNEL
};

const char *const profile_part_names[PROFILE_PART_COUNT] = {
    "elsewhere", "packing", "embedding", "attention", "feed_forward",
    "output",    "values",  "adapters",  "optimizer"};

/* The counts of one layer. */
struct layer_cells {
    struct profile_cell kernels[PROFILE_KERNEL_COUNT];
};

/* The layers of one part. */
struct part_cells {
    size_t n, capacity;
    struct layer_cells *layers;
};

static struct {
    struct part_cells parts[PROFILE_PART_COUNT];
    uint64_t start;
    bool failed; /* no memory for a cell */
} counts;

/* What only the thread that started the profile has. */
static _Thread_local struct {
    bool counts;
    enum profile_part part;
    size_t layer;
    uint64_t inside; /* nanoseconds of finished kernels within the one under way */
} own;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void clear(void) {
    for (size_t i = 0; i < PROFILE_PART_COUNT; i++) {
        free(counts.parts[i].layers);
        counts.parts[i] = (struct part_cells){0};
    }
    counts.failed = false;
}

void profile_start(void) {
    clear();
    own.counts = true;
    own.part = PROFILE_NOWHERE;
    own.layer = 0;
    own.inside = 0;
    counts.start = now();
    atomic_store(&profile_on, true);
}

bool profile_stop(uint64_t *nanoseconds) {
    *nanoseconds = now() - counts.start;
    atomic_store(&profile_on, false);
    own.counts = false;
    return !counts.failed;
}

void profile_set_layer(enum profile_part part, size_t layer) {
    probe_layer(profile_part_names[part], layer);
    if (!own.counts) return;
    own.part = part;
    own.layer = layer;
}

static uint64_t kernel_flops(enum profile_kernel kernel, const uint64_t *sizes) {
    const uint64_t n = sizes[0], a = sizes[1], b = sizes[2], c = sizes[3], d = sizes[4];
    switch (kernel) {
#define PROFILE_KERNEL(name, flops, bytes) \
    case PROFILE_##name:                   \
        return flops;
#include "profile/operations.def"
#undef PROFILE_KERNEL
        default:
            return 0;
    }
}

static uint64_t kernel_bytes(enum profile_kernel kernel, const uint64_t *sizes) {
    const uint64_t n = sizes[0], a = sizes[1], b = sizes[2], c = sizes[3], d = sizes[4],
                   e = sizes[5];
    switch (kernel) {
#define PROFILE_KERNEL(name, flops, bytes) \
    case PROFILE_##name:                   \
        return bytes;
#include "profile/operations.def"
#undef PROFILE_KERNEL
        default:
            return 0;
    }
}

/* The cell of the kernel in the layer under way, made if need be; NULL without memory. */
static struct profile_cell *find_cell(enum profile_kernel kernel) {
    struct part_cells *part = &counts.parts[own.part];
    if (own.layer >= part->n) {
        void *layers = part->layers;
        if (memory_grow(&layers, &part->capacity, own.layer + 1, sizeof *part->layers, "a profile",
                        NULL) != MNEME_OK) {
            return NULL;
        }
        part->layers = layers;
        while (part->n <= own.layer) part->layers[part->n++] = (struct layer_cells){0};
    }
    return &part->layers[own.layer].kernels[kernel];
}

void profile_open_region(struct profile_region *region, const uint64_t *sizes) {
    probe_kernel_begin(profile_kernel_names[region->kernel], sizes);
    region->counted = own.counts;
    if (!own.counts) return;
    for (size_t i = 0; i < PROFILE_MAX_SIZES; i++) region->sizes[i] = sizes[i];
    region->inside_before = own.inside;
    own.inside = 0;
    region->start = now();
}

static void count_region(const struct profile_region *region) {
    uint64_t elapsed = now() - region->start;
    struct profile_cell *cell = find_cell(region->kernel);
    if (cell == NULL) {
        counts.failed = true;
    } else {
        cell->calls++;
        cell->nanoseconds += elapsed - own.inside;
        cell->flops += kernel_flops(region->kernel, region->sizes);
        cell->bytes += kernel_bytes(region->kernel, region->sizes);
    }
    own.inside = region->inside_before + elapsed;
}

void profile_close_region(const struct profile_region *region) {
    if (region->counted) count_region(region);
    probe_kernel_end(profile_kernel_names[region->kernel]);
}

const struct profile_cell *profile_cell(enum profile_part part, size_t layer,
                                        enum profile_kernel kernel) {
    if (layer >= counts.parts[part].n) return NULL;
    const struct profile_cell *cell = &counts.parts[part].layers[layer].kernels[kernel];
    return cell->calls == 0 ? NULL : cell;
}

size_t profile_layers(enum profile_part part) {
    return counts.parts[part].n;
}
