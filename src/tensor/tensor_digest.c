#include "tensor/tensor_digest.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(MNEME_DIGEST_MAX_RANK == TENSOR_MAX_RANK, "a digest has room for every shape");

mneme_status tensor_digest_add_line(struct digest_stream *stream, const char *name,
                                    const char *type, size_t rank, const size_t *shape,
                                    const char *hex, mneme_error *error) {
    char text[TENSOR_SHAPE_TEXT];
    tensor_shape_text(rank, shape, text);
    const char *const parts[] = {name, "\t", type, "\t", text, "\t", hex, "\n"};
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == MNEME_OK; i++) {
        status = digest_update(stream, parts[i], strlen(parts[i]), error);
    }
    return status;
}

mneme_status tensor_digest_whole(mneme_digest *digest, mneme_error *error) {
    struct digest_stream stream = {0};
    struct digest whole;
    mneme_status status = digest_open(&stream, error);
    for (size_t i = 0; i < digest->n_tensors && status == MNEME_OK; i++) {
        const mneme_tensor_digest *tensor = &digest->tensors[i];
        status = tensor_digest_add_line(&stream, tensor->name, tensor->type, tensor->rank,
                                        tensor->shape, tensor->sha256, error);
    }
    THEN(digest_finish(&stream, &whole, error));
    digest_close(&stream);
    if (status == MNEME_OK) memcpy(digest->sha256, whole.hex, sizeof whole.hex);
    return status;
}

static mneme_status take_bytes(void *user, const void *bytes, size_t length, mneme_error *error) {
    return digest_update(user, bytes, length, error);
}

mneme_status tensor_digest_of(const struct tensor *tensor, struct digest *digest,
                              mneme_error *error) {
    struct digest_stream stream = {0};
    mneme_status status = digest_open(&stream, error);
    THEN(tensor_pass_on(tensor, take_bytes, &stream, error));
    THEN(digest_finish(&stream, digest, error));
    digest_close(&stream);
    return status;
}

struct digested {
    struct tensor tensor; /* first: the order by name looks at it */
    size_t index;         /* in the caller's list */
};

mneme_status tensor_digest_list(const struct tensor *tensors, size_t n, struct digest *whole,
                                struct digest *each, mneme_error *error) {
    struct digest_stream stream = {0};
    struct digested *sorted = calloc(n + 1, sizeof *sorted);
    if (sorted == NULL) return error_set_memory(error, "a list of tensors");
    for (size_t i = 0; i < n; i++) sorted[i] = (struct digested){tensors[i], i};
    if (n > 1) qsort(sorted, n, sizeof *sorted, tensor_compare_names);
    mneme_status status = digest_open(&stream, error);
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        const struct tensor *tensor = &sorted[i].tensor;
        struct digest digest;
        status = tensor_digest_of(tensor, &digest, error);
        if (status != MNEME_OK) break;
        if (each != NULL) each[sorted[i].index] = digest;
        status = tensor_digest_add_line(&stream, tensor->name, tensor_type_name(tensor->type),
                                        tensor->rank, tensor->shape, digest.hex, error);
    }
    THEN(digest_finish(&stream, whole, error));
    digest_close(&stream);
    free(sorted);
    return status;
}
