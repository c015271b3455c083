#include "smf/background.h"

#include "simd/math.h"

mneme_status background_open(struct background *background, size_t n_slots, mneme_error *error) {
    *background = (struct background){.n_slots = n_slots};
    const struct arena_piece pieces[] = {{&background->batches_reading, n_slots, sizeof(int32_t)},
                                         {&background->reads, n_slots, sizeof(int32_t)}};
    return arena_layout(&background->arena, 2, pieces, "the background", error);
}

void background_close(struct background *background) {
    arena_close(&background->arena);
    *background = (struct background){0};
}

void background_add(struct background *background, struct slots_read read) {
    for (size_t i = 0; i < read.n; i++) {
        int32_t *reads = &background->reads[read.slots[i]];
        size_t count = read.starts[i + 1] - read.starts[i], room = (size_t)(INT32_MAX - *reads);
        *reads += (int32_t)(count < room ? count : room);
        background->batches_reading[read.slots[i]]++;
    }
    background->n_batches++;
}

float background_idf(const struct background *background, int32_t slot) {
    float reading = (float)(1 + background->batches_reading[slot]);
    return math_log((float)(background->n_batches + 1) / reading);
}

void background_list_tensors(const struct background *background, const int32_t *n_batches,
                             struct tensor tensors[BACKGROUND_TENSORS]) {
    const size_t n_slots = background->n_slots;
    const struct {
        const char *name;
        size_t n;
        const int32_t *data;
    } lists[BACKGROUND_TENSORS] = {{"batches_reading", n_slots, background->batches_reading},
                                   {"reads", n_slots, background->reads},
                                   {"n_batches", 1, n_batches}};
    for (size_t i = 0; i < BACKGROUND_TENSORS; i++) {
        tensors[i] = (struct tensor){.name = lists[i].name,
                                     .type = TENSOR_I32,
                                     .rank = 1,
                                     .shape = {lists[i].n},
                                     .data = lists[i].data};
    }
}

mneme_status background_save(const struct background *background, const char *path,
                             mneme_error *error) {
    const int32_t n_batches = (int32_t)background->n_batches;
    struct tensor tensors[BACKGROUND_TENSORS];
    background_list_tensors(background, &n_batches, tensors);
    return safetensors_write(path, tensors, BACKGROUND_TENSORS, NULL, 0, error);
}

/* A slot is read by none to all of the batches, at least once by each. */
static mneme_status check(const struct background *background, const char *path,
                          mneme_error *error) {
    for (size_t i = 0; i < background->n_slots; i++) {
        int32_t count = background->batches_reading[i];
        if (count < 0 || (size_t)count > background->n_batches) {
            return error_set(error, MNEME_BAD_INPUT,
                             "%s: batches_reading[%zu] is %d, but there were %zu batches", path, i,
                             (int)count, background->n_batches);
        }
        if (background->reads[i] < count) {
            return error_set(error, MNEME_BAD_INPUT, "%s: reads[%zu] is %d, but %d batches read it",
                             path, i, (int)background->reads[i], (int)count);
        }
    }
    return MNEME_OK;
}

static mneme_status read(struct background *background, const struct safetensors *file,
                         mneme_error *error) {
    const size_t one = 1, n_slots = background->n_slots;
    int32_t n_batches = 0;
    TRY(safetensors_read_i32(file, "n_batches", 1, &one, &n_batches, error));
    TRY(safetensors_read_i32(file, "batches_reading", 1, &n_slots, background->batches_reading,
                             error));
    TRY(safetensors_read_i32(file, "reads", 1, &n_slots, background->reads, error));
    background->n_batches = n_batches > 0 ? (size_t)n_batches : 0;
    return check(background, file->file.path, error);
}

mneme_status background_read(struct background *background, const struct safetensors *file,
                             size_t n_slots, mneme_error *error) {
    TRY(background_open(background, n_slots, error));
    mneme_status status = read(background, file, error);
    if (status != MNEME_OK) background_close(background);
    return status;
}

mneme_status background_load(struct background *background, const char *path, size_t n_slots,
                             mneme_error *error) {
    struct safetensors file = {0};
    *background = (struct background){0};
    mneme_status status = safetensors_open(&file, path, error);
    THEN(background_read(background, &file, n_slots, error));
    safetensors_close(&file);
    return status;
}
