#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Counter-based random numbers (Philox4x32-10, Salmon et al. 2011): a draw is a function of
 * (seed, stream, index) alone, so that order and threads cannot matter. */

/* Streams that the engine draws from. A new use gets a new number; numbers never change. */
enum random_stream {
    RANDOM_STREAM_SHUFFLE = 1,       /* order of the training texts */
    RANDOM_STREAM_WORLD = 2,         /* entities and facts of a fact world */
    RANDOM_STREAM_PARAPHRASE = 3,    /* which wording a fact gets in a batch */
    RANDOM_STREAM_SKILL = 4,         /* texts of the unrelated skill */
    RANDOM_STREAM_BACKGROUND = 5,    /* background batches */
    RANDOM_STREAM_SLOTS = 6,         /* random slot selection */
    RANDOM_STREAM_DOCUMENT = 7,      /* wordings and their order in documents */
    RANDOM_STREAM_WORDINGS = 9,      /* which wordings a fact has */
    RANDOM_STREAM_MEMORY_TEXTS = 16, /* texts that a memory's keys are made from */
    RANDOM_STREAM_MEMORY_KEYS = 17,  /* tokens of them that become keys */
    RANDOM_STREAM_PARAMETERS = 1024, /* + index of the parameter tensor */
};

/* Four independent 32-bit draws for (seed, stream, index). */
void random_draw4(uint64_t seed, uint64_t stream, uint64_t index, uint32_t draws[4]);

/* One 32-bit draw. */
uint32_t random_draw(uint64_t seed, uint64_t stream, uint64_t index);

/* Uniform in [0, bound), bound > 0, without bias (multiply and reject over further lanes). */
uint32_t random_below(uint64_t seed, uint64_t stream, uint64_t index, uint32_t bound);

/* Uniform in [0, 1), a multiple of 2^-24. */
float random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* order[0..n) becomes a permutation of 0..n-1 (Fisher-Yates, draws `first_index` + i). */
void random_permutation(uint64_t seed, uint64_t stream, uint64_t first_index, size_t n,
                        uint32_t *order);

#endif
