/* The digest of itself that a safetensors file of ours carries. */

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "tensor/safetensors.h"
#include "tensor/tensor_digest.h"

/* A file is read in pieces of this many bytes. */
#define PIECE ((size_t)1 << 20)

mneme_status safetensors_digest_entry(const struct safetensors *file,
                                      const struct safetensors_entry *entry, struct digest *digest,
                                      mneme_error *error) {
    struct digest_stream stream = {0};
    unsigned char *piece = malloc(PIECE);
    mneme_status status = piece == NULL ? error_set_memory(error, file->file.path) : MNEME_OK;
    THEN(digest_open(&stream, error));
    for (size_t done = 0; done < entry->bytes && status == MNEME_OK;) {
        size_t length = entry->bytes - done < PIECE ? entry->bytes - done : PIECE;
        status = safetensors_read_bytes(file, entry, done, piece, length, error);
        THEN(digest_update(&stream, piece, length, error));
        done += length;
    }
    THEN(digest_finish(&stream, digest, error));
    digest_close(&stream);
    free(piece);
    return status;
}

/* The metadata that is sealed, with a newline. */
mneme_status safetensors_seal_open(struct safetensors_seal *seal, const json_t *metadata,
                                   mneme_error *error) {
    json_t *sealed = metadata == NULL ? json_object() : json_copy((json_t *)(uintptr_t)metadata);
    json_object_del(sealed, SAFETENSORS_SEAL);
    char *text = sealed == NULL ? NULL : json_print(sealed, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(sealed);
    if (text == NULL) return error_set_memory(error, "a seal");
    mneme_status status = digest_open(&seal->stream, error);
    THEN(digest_update(&seal->stream, text, strlen(text), error));
    THEN(digest_update(&seal->stream, "\n", 1, error));
    free(text);
    return status;
}

mneme_status safetensors_seal_add(struct safetensors_seal *seal, const struct tensor *tensor,
                                  const struct digest *digest, mneme_error *error) {
    return tensor_digest_add_line(&seal->stream, tensor->name, tensor_type_name(tensor->type),
                                  tensor->rank, tensor->shape, digest->hex, error);
}

void safetensors_seal_close(struct safetensors_seal *seal) {
    digest_close(&seal->stream);
}

mneme_status safetensors_seal_compare(struct safetensors_seal *seal, const struct safetensors *file,
                                      mneme_error *error) {
    const char *wanted = safetensors_metadata_get(file, SAFETENSORS_SEAL);
    struct digest found;
    TRY(digest_finish(&seal->stream, &found, error));
    if (wanted == NULL || strcmp(wanted, found.hex) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: is damaged, or was changed by another program: its contents have not the "
                     "digest that its metadata `" SAFETENSORS_SEAL "` gives",
                     file->file.path);
}

/* The digests of all tensors, by all threads: [file->n]. Of errors, that of the first tensor. */
static mneme_status digest_entries(const struct safetensors *file, struct digest *digests,
                                   mneme_error *error) {
    mneme_status status = MNEME_OK;
    size_t failed = file->n;
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < file->n; i++) {
        mneme_error of_entry = {0};
        const mneme_status done =
            safetensors_digest_entry(file, &file->entries[i], &digests[i], &of_entry);
        if (done == MNEME_OK) continue;
#pragma omp critical(digest_entries)
        if (i < failed) {
            failed = i;
            status = done;
            *error = of_entry;
        }
    }
    return status;
}

mneme_status safetensors_check_seal(const struct safetensors *file, mneme_error *error) {
    struct safetensors_seal seal = {0};
    if (safetensors_metadata_get(file, SAFETENSORS_SEAL) == NULL) return MNEME_OK;
    struct digest *digests = calloc(file->n + 1, sizeof *digests);
    if (digests == NULL) return error_set_memory(error, file->file.path);
    mneme_status status = digest_entries(file, digests, error);
    THEN(safetensors_seal_open(&seal, json_object_get(file->header, "__metadata__"), error));
    for (size_t i = 0; i < file->n && status == MNEME_OK; i++) {
        status = safetensors_seal_add(&seal, &file->entries[i].tensor, &digests[i], error);
    }
    THEN(safetensors_seal_compare(&seal, file, error));
    safetensors_seal_close(&seal);
    free(digests);
    return status;
}

/* The seal of tensors in memory. */
static mneme_status make_seal(const struct tensor *tensors, size_t n, const json_t *metadata,
                              struct digest *digest, mneme_error *error) {
    struct safetensors_seal seal = {0};
    struct tensor *sorted = calloc(n + 1, sizeof *sorted);
    if (sorted == NULL) return error_set_memory(error, "a seal");
    if (n > 0) memcpy(sorted, tensors, n * sizeof *sorted);
    if (n > 1) qsort(sorted, n, sizeof *sorted, tensor_compare_names);
    mneme_status status = safetensors_seal_open(&seal, metadata, error);
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        size_t bytes = 0;
        struct digest of_tensor = {""};
        /* One that is too large is refused when it is written. */
        if (tensor_bytes(&sorted[i], &bytes)) {
            status = tensor_digest_of(&sorted[i], &of_tensor, error);
        }
        THEN(safetensors_seal_add(&seal, &sorted[i], &of_tensor, error));
    }
    THEN(digest_finish(&seal.stream, digest, error));
    safetensors_seal_close(&seal);
    free(sorted);
    return status;
}

mneme_status safetensors_write_sealed(const char *path, const struct tensor *tensors, size_t n,
                                      const struct safetensors_metadata *metadata,
                                      size_t n_metadata, mneme_error *error) {
    struct safetensors_metadata all[SAFETENSORS_MAX_SEALED + 1] = {{0}};
    struct digest digest = {""};
    json_t *object = json_object();
    if (n_metadata > SAFETENSORS_MAX_SEALED) n_metadata = SAFETENSORS_MAX_SEALED;
    for (size_t i = 0; i < n_metadata; i++) {
        all[i] = metadata[i];
        json_object_set_new(object, metadata[i].key, json_string(metadata[i].value));
    }
    mneme_status status = make_seal(tensors, n, object, &digest, error);
    json_decref(object);
    all[n_metadata] = (struct safetensors_metadata){SAFETENSORS_SEAL, digest.hex};
    THEN(safetensors_write(path, tensors, n, all, n_metadata + 1, error));
    return status;
}
