#include "base/random.h"

#include <Random123/philox.h>

void random_draw4(uint64_t seed, uint64_t stream, uint64_t index, uint32_t draws[4]) {
    philox4x32_ctr_t counter = {
        {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t result = philox4x32(counter, key);
    for (int i = 0; i < 4; i++) draws[i] = result.v[i];
}

uint32_t random_draw(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t draws[4];
    random_draw4(seed, stream, index, draws);
    return draws[0];
}

uint32_t random_below(uint64_t seed, uint64_t stream, uint64_t index, uint32_t bound) {
    /* Lemire's multiply-shift; a rejection takes the next lane. Four rejections in a row have a
     * chance under 2^-64 for the bounds in use; the last lane is then taken as it is. */
    uint32_t draws[4];
    random_draw4(seed, stream, index, draws);
    uint32_t threshold = (0u - bound) % bound;
    uint64_t product = 0;
    for (int i = 0; i < 4; i++) {
        product = (uint64_t)draws[i] * bound;
        if ((uint32_t)product >= threshold) break;
    }
    return (uint32_t)(product >> 32);
}

float random_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
    return (float)(random_draw(seed, stream, index) >> 8) * 0x1p-24f;
}

void random_permutation(uint64_t seed, uint64_t stream, uint64_t first_index, size_t n,
                        uint32_t *order) {
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        uint32_t j = random_below(seed, stream, first_index + i - 1, (uint32_t)i);
        uint32_t swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
}
