#ifndef TENSOR_GGUF_WIDEN_H
#define TENSOR_GGUF_WIDEN_H

#include <stddef.h>
#include <stdint.h>

/* The element types of GGUF files (gguf_types.def) and their values as f32. A quantized type is a
 * row of blocks: some scales, and a few bits for each element. */

#define GGUF_MAX_BLOCK_ELEMENTS 256
#define GGUF_MAX_BLOCK_BYTES 210

struct gguf_type {
    const char *name;
    uint32_t number;       /* in files */
    size_t block_elements; /* elements of a block */
    size_t block_bytes;
    /* Widens n_blocks blocks into values [n_blocks * block_elements]. Every product and sum is
     * rounded to f32 in the order of the format's own reference (the `gguf` package's
     * `dequantize`), which gives the same bits. */
    void (*widen)(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values);
};

/* " F32 F16 Q4_0 …", for messages. */
extern const char gguf_type_names[];

/* The type of that number; NULL when it is none of gguf_types.def. */
const struct gguf_type *gguf_type_find(uint32_t number);

#endif
