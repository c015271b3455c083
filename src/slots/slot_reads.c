#include "slots/slot_reads.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/pass.h"

#define PASS_TOKENS 2048

mneme_status slot_reader_open(struct slot_reader *reader, const struct experiment *experiment,
                              size_t longest, mneme_error *error) {
    size_t tokens = longest > PASS_TOKENS ? longest : PASS_TOKENS;
    *reader = (struct slot_reader){.experiment = experiment};
    /* In training every layer keeps its reads; nothing else of it is needed. */
    mneme_status status =
        pass_open_training(&reader->pass, &experiment->model, tokens, true, error);
    THEN(pass_pack(&reader->pass, experiment->model.config.n_layers, error));
    THEN(batch_builder_open(&reader->builder, tokens, error));
    reader->text_of = calloc(tokens, sizeof *reader->text_of);
    if (status == MNEME_OK && reader->text_of == NULL) {
        status = error_set_memory(error, "the slots");
    }
    if (status != MNEME_OK) slot_reader_close(reader);
    return status;
}

void slot_reader_close(struct slot_reader *reader) {
    free(reader->text_of);
    batch_builder_close(&reader->builder);
    pass_close(&reader->pass);
    *reader = (struct slot_reader){0};
}

static int by_slot(const void *a, const void *b) {
    const struct slot_read *x = a, *y = b;
    if (x->slot != y->slot) return x->slot < y->slot ? -1 : 1;
    if (x->text != y->text) return x->text < y->text ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

/* Every read of sequence s of the batch. */
static void note_sequence(const struct slot_reader *reader, const struct batch *batch, size_t s,
                          struct slot_reads *reads) {
    const struct model *model = &reader->experiment->model;
    const struct memory_config *memory = &model->config.memory;
    size_t per_token = memory->heads * memory->knn, n_slots = model_n_slots(&model->config);
    for (size_t i = batch->starts[s]; i < batch->starts[s + 1]; i++) {
        for (size_t m = 0; m < memory->n_layers; m++) {
            size_t l = memory->layers[m];
            const int32_t *slots = reader->pass.activations.layers[l].slots + i * per_token;
            int32_t first = (int32_t)(model->layers[l].table_index * n_slots);
            for (size_t r = 0; r < per_token; r++) {
                reads->reads[reads->n++] =
                    (struct slot_read){first + slots[r], reader->text_of[s], batch->tokens[i]};
            }
        }
    }
    reads->n_tokens += batch->starts[s + 1] - batch->starts[s];
}

static mneme_status read_batch(struct slot_reader *reader, struct slot_reads *reads,
                               mneme_error *error) {
    struct batch batch = batch_builder_whole(&reader->builder);
    const struct memory_config *memory = &reader->experiment->model.config.memory;
    size_t more = batch.n_tokens * memory->heads * memory->knn * memory->n_layers;
    void *room = reads->reads;
    if (batch.n_tokens == 0) return MNEME_OK;
    TRY(model_forward(&reader->pass, &batch, NULL, error));
    TRY(memory_grow(&room, &reads->capacity, reads->n + more, sizeof *reads->reads, "the slots",
                    error));
    reads->reads = room;
    for (size_t s = 0; s < batch.n_sequences; s++) note_sequence(reader, &batch, s, reads);
    batch_builder_clear(&reader->builder);
    return MNEME_OK;
}

/* The different slots of the sorted reads. */
static mneme_status group(struct slot_reads *reads, mneme_error *error) {
    reads->slots = calloc(reads->n + 1, sizeof *reads->slots);
    reads->starts = calloc(reads->n + 1, sizeof *reads->starts);
    if (reads->slots == NULL || reads->starts == NULL) {
        return error_set_memory(error, "the slots");
    }
    for (size_t i = 0; i < reads->n; i++) {
        if (i > 0 && reads->reads[i].slot == reads->reads[i - 1].slot) continue;
        reads->slots[reads->n_slots] = reads->reads[i].slot;
        reads->starts[reads->n_slots++] = i;
    }
    reads->starts[reads->n_slots] = reads->n;
    return MNEME_OK;
}

static mneme_status read_all(struct slot_reader *reader, const struct token_texts *texts,
                             size_t first, size_t end, struct slot_reads *reads,
                             mneme_error *error) {
    batch_builder_clear(&reader->builder);
    for (size_t i = first; i < end; i++) {
        if (reader->builder.n_tokens + texts->lengths[i] > reader->builder.max_tokens) {
            TRY(read_batch(reader, reads, error));
        }
        reader->text_of[reader->builder.n_sequences] = (uint32_t)(i - first);
        batch_builder_add_text(&reader->builder, texts, i);
    }
    TRY(read_batch(reader, reads, error));
    qsort(reads->reads, reads->n, sizeof *reads->reads, by_slot);
    return group(reads, error);
}

mneme_status slot_reader_read(struct slot_reader *reader, const struct token_texts *texts,
                              size_t first, size_t end, struct slot_reads *reads,
                              mneme_error *error) {
    *reads = (struct slot_reads){.n_texts = end - first};
    mneme_status status = read_all(reader, texts, first, end, reads, error);
    if (status != MNEME_OK) slot_reads_free(reads);
    return status;
}

void slot_reads_free(struct slot_reads *reads) {
    free(reads->reads);
    free(reads->slots);
    free(reads->starts);
    *reads = (struct slot_reads){0};
}
