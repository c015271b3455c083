#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "model/model.h"
#include "train/optimizer.h"
#include "train/slot_usage.h"

/* The trail up to a checkpoint's step, as it was when the checkpoint was written. */
struct checkpoint_trail {
    bool known; /* false: the checkpoint is of a version that did not write it */
    uint64_t bytes;
    struct digest digest; /* of the first `bytes` bytes of the trail */
};

/* Everything that decides the rest of a training run, in one sealed safetensors file: the
 * trained parameters by name, AdamW's moments as `moment1.NAME` and `moment2.NAME`, and the
 * integers `step` and `cursor` (texts handed out); with `usage`, which may be NULL, the bits
 * `slots_read` of the slots that were ever read. The metadata has the version of the arithmetic
 * contract, and the trail's bytes and digest. The file appears whole or not at all. */
mneme_status checkpoint_save(const char *path, const struct optimizer *optimizer, uint64_t cursor,
                             const struct slot_usage *usage, const struct checkpoint_trail *trail,
                             mneme_error *error);
/* MNEME_BAD_INPUT, before anything is read into the model, for a file whose seal is broken or that
 * was made under another contract. *sealed: it has a seal. */
mneme_status checkpoint_load(const char *path, struct optimizer *optimizer, uint64_t *cursor,
                             struct slot_usage *usage, struct checkpoint_trail *trail, bool *sealed,
                             mneme_error *error);

/* The digest, by the rules of <mneme/digest.h>, of the file that checkpoint_save would write. */
mneme_status checkpoint_digest(const struct optimizer *optimizer, uint64_t cursor,
                               const struct slot_usage *usage, struct digest *digest,
                               mneme_error *error);

#endif
