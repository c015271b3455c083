#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include <mneme/version.h>

#include "model/model.h"
#include "tensor/safetensors.h"
#include "tensor/tensor_digest.h"

/* Metadata. */
#define CONTRACT "mneme.contract"
#define TRAIL_BYTES "mneme.trail_bytes"
#define TRAIL_DIGEST "mneme.trail_sha256"

#define SLOTS_READ "slots_read"

#define MOMENT_NAME_SIZE (PARAMETER_NAME_SIZE + 24)

/* The tensors of a checkpoint: the trained parameters, then moments, the two integers, and the
 * slots that were read.
 */
struct contents {
    size_t n;
    struct tensor *tensors;
    char (*names)[MOMENT_NAME_SIZE];
};

static const char *moment_name(char *name, int moment, const struct parameter *parameter) {
    snprintf(name, MOMENT_NAME_SIZE, "moment%d.%s", moment, parameter->name);
    return name;
}

static float *moment_of(const struct optimizer *optimizer, size_t i, int moment) {
    return moment == 1 ? optimizer->moments[i].first : optimizer->moments[i].second;
}

static struct tensor integers(const char *name, size_t n, const uint64_t *values) {
    return (struct tensor){
        .name = name, .type = TENSOR_U64, .rank = 1, .shape = {n}, .data = values};
}

static void list(struct contents *contents, const struct optimizer *optimizer) {
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        const struct parameter *p = optimizer->trained[i];
        contents->tensors[contents->n++] = parameter_tensor(p, p->data);
    }
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        const struct parameter *p = optimizer->trained[i];
        for (int moment = 1; moment <= 2; moment++) {
            struct tensor tensor = parameter_tensor(p, moment_of(optimizer, i, moment));
            tensor.name = moment_name(contents->names[contents->n], moment, p);
            contents->tensors[contents->n++] = tensor;
        }
    }
}

static void close_contents(struct contents *contents) {
    free(contents->tensors);
    free(contents->names);
}

/* The tensors borrow the integers and the usage. */
static mneme_status open_contents(struct contents *contents, const struct optimizer *optimizer,
                                  const uint64_t *step, const uint64_t *cursor,
                                  const struct slot_usage *usage, mneme_error *error) {
    size_t most = 3 * optimizer->n_trained + 3;
    *contents = (struct contents){.tensors = calloc(most, sizeof *contents->tensors),
                                  .names = calloc(most, sizeof *contents->names)};
    if (contents->tensors == NULL || contents->names == NULL) {
        return error_set_memory(error, "a checkpoint");
    }
    list(contents, optimizer);
    contents->tensors[contents->n++] = integers("step", 1, step);
    contents->tensors[contents->n++] = integers("cursor", 1, cursor);
    if (usage != NULL) {
        contents->tensors[contents->n++] = integers(SLOTS_READ, usage->n_words, usage->ever);
    }
    return MNEME_OK;
}

mneme_status checkpoint_save(const char *path, const struct optimizer *optimizer, uint64_t cursor,
                             const struct slot_usage *usage, const struct checkpoint_trail *trail,
                             mneme_error *error) {
    struct contents contents;
    uint64_t step = optimizer->step;
    char contract[16], bytes[24];
    snprintf(contract, sizeof contract, "%d", MNEME_CONTRACT_VERSION);
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)trail->bytes);
    const struct safetensors_metadata metadata[] = {
        {CONTRACT, contract}, {TRAIL_BYTES, bytes}, {TRAIL_DIGEST, trail->digest.hex}};
    mneme_status status = open_contents(&contents, optimizer, &step, &cursor, usage, error);
    THEN(safetensors_write_sealed(path, contents.tensors, contents.n, metadata,
                                  trail->known ? 3 : 1, error));
    close_contents(&contents);
    return status;
}

mneme_status checkpoint_digest(const struct optimizer *optimizer, uint64_t cursor,
                               const struct slot_usage *usage, struct digest *digest,
                               mneme_error *error) {
    struct contents contents;
    uint64_t step = optimizer->step;
    mneme_status status = open_contents(&contents, optimizer, &step, &cursor, usage, error);
    THEN(tensor_digest_list(contents.tensors, contents.n, digest, NULL, error));
    close_contents(&contents);
    return status;
}

static mneme_status read_integer(const struct safetensors *file, const char *name, uint64_t *value,
                                 mneme_error *error) {
    const size_t one = 1;
    return safetensors_read_exact(file, name, TENSOR_U64, 1, &one, value, error);
}

static mneme_status read_moments(const struct safetensors *file, struct optimizer *optimizer,
                                 mneme_error *error) {
    char name[MOMENT_NAME_SIZE];
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        const struct parameter *p = optimizer->trained[i];
        for (int moment = 1; moment <= 2; moment++) {
            TRY(safetensors_read_f32(file, moment_name(name, moment, p), p->rank, p->shape,
                                     moment_of(optimizer, i, moment), error));
        }
    }
    return MNEME_OK;
}

/* Only what is about slots that there are. */
static mneme_status read_usage(const struct safetensors *file, struct slot_usage *usage,
                               mneme_error *error) {
    if (usage == NULL) return MNEME_OK;
    TRY(safetensors_read_exact(file, SLOTS_READ, TENSOR_U64, 1, &usage->n_words, usage->ever,
                               error));
    if (slot_usage_is_sound(usage)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `" SLOTS_READ "`: has slots beyond %zu",
                     file->file.path, usage->n_slots);
}

static mneme_status check_contract(const struct safetensors *file, mneme_error *error) {
    const char *contract = safetensors_metadata_get(file, CONTRACT);
    if (contract == NULL || strtol(contract, NULL, 10) == MNEME_CONTRACT_VERSION) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: was made under contract %.16s, this version keeps to %d", file->file.path,
                     contract, MNEME_CONTRACT_VERSION);
}

static void read_trail(const struct safetensors *file, struct checkpoint_trail *trail) {
    const char *bytes = safetensors_metadata_get(file, TRAIL_BYTES);
    const char *digest = safetensors_metadata_get(file, TRAIL_DIGEST);
    *trail = (struct checkpoint_trail){0};
    if (bytes == NULL || digest == NULL) return;
    trail->known = true;
    trail->bytes = strtoull(bytes, NULL, 10);
    snprintf(trail->digest.hex, sizeof trail->digest.hex, "%s", digest);
}

mneme_status checkpoint_load(const char *path, struct optimizer *optimizer, uint64_t *cursor,
                             struct slot_usage *usage, struct checkpoint_trail *trail, bool *sealed,
                             mneme_error *error) {
    struct safetensors file = {0};
    uint64_t step = 0;
    mneme_status status = safetensors_open(&file, path, error);
    THEN(safetensors_check_seal(&file, error));
    THEN(check_contract(&file, error));
    read_trail(&file, trail);
    *sealed = safetensors_metadata_get(&file, SAFETENSORS_SEAL) != NULL;
    for (size_t i = 0; status == MNEME_OK && i < optimizer->n_trained; i++) {
        struct parameter *p = optimizer->trained[i];
        status = safetensors_read_f32(&file, p->name, p->rank, p->shape, p->data, error);
    }
    THEN(read_moments(&file, optimizer, error));
    THEN(read_integer(&file, "step", &step, error));
    THEN(read_integer(&file, "cursor", cursor, error));
    THEN(read_usage(&file, usage, error));
    if (status == MNEME_OK) optimizer->step = (size_t)step;
    safetensors_close(&file);
    return status;
}
