#ifndef SMF_BACKGROUND_H
#define SMF_BACKGROUND_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "model/batch_reads.h"
#include "tensor/safetensors.h"

/* What |B| batches of ordinary text read. Slots of all value tables are numbered
 * table * n_slots + slot. */
struct background {
    size_t n_slots;           /* of all tables */
    size_t n_batches;         /* |B| counted so far */
    int32_t *batches_reading; /* [n_slots] {b: c_b(i) > 0} of SMF: TF-IDF's document frequency */
    int32_t *reads;           /* [n_slots] sum of c_b(i), at most INT32_MAX: KL's background */
    struct arena arena;
};

mneme_status background_open(struct background *background, size_t n_slots, mneme_error *error);
void background_close(struct background *background);

/* Counts one batch by the slots that it read. */
void background_add(struct background *background, struct slots_read read);

/* SMF's inverse document frequency: log((|B| + 1) / (1 + batches_reading(slot))). */
float background_idf(const struct background *background, int32_t slot);

/* Its tensors as files take them; n_batches is |B|. */
#define BACKGROUND_TENSORS 3
void background_list_tensors(const struct background *background, const int32_t *n_batches,
                             struct tensor tensors[BACKGROUND_TENSORS]);
/* Opens from an open file; it must be for n_slots slots. */
mneme_status background_read(struct background *background, const struct safetensors *file,
                             size_t n_slots, mneme_error *error);

/* background.safetensors: `batches_reading`, `reads` and `n_batches`. */
mneme_status background_save(const struct background *background, const char *path,
                             mneme_error *error);
/* The same from a path. */
mneme_status background_load(struct background *background, const char *path, size_t n_slots,
                             mneme_error *error);

#endif
