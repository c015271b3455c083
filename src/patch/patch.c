#include "patch/patch.h"

#include <stdlib.h>
#include <string.h>

#include "smf/value_rows.h"

size_t patch_width(const struct model_config *config) {
    return config->memory.v_dim * (config->memory.peer_variant ? 2 : 1);
}

void patch_get_row(const struct model *model, int32_t slot, float *row) {
    value_row_get(model, PARAMETER_VALUES, slot, row);
    if (!model->config.memory.peer_variant) return;
    value_row_get(model, PARAMETER_VALUES_U, slot, row + model->config.memory.v_dim);
}

static void set_row(struct model *model, int32_t slot, const float *row) {
    const size_t v_dim = model->config.memory.v_dim;
    memcpy(value_row(model, PARAMETER_VALUES, slot), row, v_dim * sizeof *row);
    if (!model->config.memory.peer_variant) return;
    memcpy(value_row(model, PARAMETER_VALUES_U, slot), row + v_dim, v_dim * sizeof *row);
}

mneme_status patch_put_rows(const struct patch *patch, struct model *model, mneme_error *error) {
    TRY(value_rows_make_f32(model, patch->n_rows, patch->slots, error));
    for (size_t i = 0; i < patch->n_rows; i++) {
        set_row(model, patch->slots[i], patch->rows + i * patch->width);
    }
    return MNEME_OK;
}

static mneme_status copy_memory(struct model *memory, const struct model *model,
                                mneme_error *error) {
    TRY(model_describe(&model->config, memory, error));
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *from = &model->parameters[i];
        struct parameter *to = &memory->parameters[i];
        if (!patch_carries(from)) continue;
        to->data = malloc(from->count * sizeof *to->data);
        if (to->data == NULL) return error_set_memory(error, "the patch's memory");
        memcpy(to->data, from->data, from->count * sizeof *to->data);
    }
    return MNEME_OK;
}

static mneme_status copy_background(struct background *copy, const struct background *background,
                                    mneme_error *error) {
    size_t bytes = background->n_slots * sizeof(int32_t);
    TRY(background_open(copy, background->n_slots, error));
    copy->n_batches = background->n_batches;
    memcpy(copy->batches_reading, background->batches_reading, bytes);
    memcpy(copy->reads, background->reads, bytes);
    return MNEME_OK;
}

static mneme_status list_tables(struct patch *patch, const struct model *model,
                                mneme_error *error) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (p->kind != PARAMETER_VALUES) continue;
        TRY(text_list_add_copy(&patch->tables, p->name, strlen(p->name), error));
    }
    return MNEME_OK;
}

mneme_status patch_open(struct patch *patch, const struct model *model, const struct digest *fits,
                        bool carries_memory, const struct background *background,
                        mneme_error *error) {
    *patch = (struct patch){.model = *fits,
                            .settings = strdup("{}"),
                            .n_slots = model_n_slots(&model->config),
                            .width = patch_width(&model->config),
                            .carries_memory = carries_memory};
    mneme_status status = patch->settings == NULL ? error_set_memory(error, "a patch") : MNEME_OK;
    THEN(list_tables(patch, model, error));
    if (carries_memory) THEN(copy_memory(&patch->memory, model, error));
    if (background != NULL) THEN(copy_background(&patch->background, background, error));
    if (status != MNEME_OK) patch_close(patch);
    return status;
}

void patch_fact_free(struct patch_fact *fact) {
    free(fact->question);
    text_list_free(&fact->answers);
    *fact = (struct patch_fact){0};
}

void patch_close(struct patch *patch) {
    struct model *model = &patch->memory;
    for (size_t i = 0; i < model->n_parameters; i++) free(model->parameters[i].data);
    model_close(model);
    background_close(&patch->background);
    for (size_t i = 0; i < patch->n_facts; i++) patch_fact_free(&patch->facts[i]);
    text_list_free(&patch->tables);
    slot_index_free(&patch->index);
    free(patch->settings);
    free(patch->slots);
    free(patch->rows);
    free(patch->first_entries);
    free(patch->facts);
    free(patch->ends);
    free(patch->journal);
    free(patch->before);
    *patch = (struct patch){0};
}

static float *row_of(const struct patch *patch, size_t place) {
    return patch->rows + place * patch->width;
}

static float *before_of(const struct patch *patch, size_t number) {
    return patch->before + number * patch->width;
}

/* How many of the slots have no row yet. */
static size_t count_new(const struct patch *patch, size_t n, const int32_t *slots) {
    size_t n_new = 0;
    for (size_t i = 0; i < n; i++) {
        n_new += slot_index_find(&patch->index, slots[i]) == SLOT_INDEX_NONE;
    }
    return n_new;
}

/* Room for one fact more that changes n slots, n_new of them for the first time. */
static mneme_status make_room(struct patch *patch, size_t n, size_t n_new, mneme_error *error) {
    const char *what = "a patch";
    const size_t row = patch->width * sizeof(float), n_before = patch->n_entries - patch->n_rows;
    TRY(memory_grow((void **)&patch->facts, &patch->fact_capacity, patch->n_facts + 1,
                    sizeof *patch->facts, what, error));
    TRY(memory_grow((void **)&patch->ends, &patch->end_capacity, patch->n_facts + 1,
                    sizeof *patch->ends, what, error));
    TRY(memory_grow((void **)&patch->journal, &patch->entry_capacity, patch->n_entries + n,
                    sizeof *patch->journal, what, error));
    TRY(memory_grow((void **)&patch->slots, &patch->slot_capacity, patch->n_rows + n_new,
                    sizeof *patch->slots, what, error));
    TRY(memory_grow((void **)&patch->first_entries, &patch->first_capacity, patch->n_rows + n_new,
                    sizeof *patch->first_entries, what, error));
    TRY(memory_grow((void **)&patch->rows, &patch->row_capacity, patch->n_rows + n_new, row, what,
                    error));
    return memory_grow((void **)&patch->before, &patch->before_capacity, n_before + n - n_new, row,
                       what, error);
}

/* Notes that a fact changed the slot's row to what the model has. */
static mneme_status add_entry(struct patch *patch, const struct model *model, int32_t slot,
                              mneme_error *error) {
    size_t place = slot_index_find(&patch->index, slot);
    if (place == SLOT_INDEX_NONE) {
        TRY(slot_index_add(&patch->index, slot, patch->n_rows, error));
        place = patch->n_rows++;
        patch->slots[place] = slot;
        patch->first_entries[place] = patch->n_entries;
    } else {
        memcpy(before_of(patch, patch->n_entries - patch->n_rows), row_of(patch, place),
               patch->width * sizeof(float));
    }
    patch_get_row(model, slot, row_of(patch, place));
    patch->journal[patch->n_entries++] = slot;
    return MNEME_OK;
}

mneme_status patch_add_fact(struct patch *patch, struct patch_fact *fact, const struct model *model,
                            size_t n, const int32_t *slots, mneme_error *error) {
    mneme_status status = make_room(patch, n, count_new(patch, n, slots), error);
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = add_entry(patch, model, slots[i], error);
    }
    if (status != MNEME_OK) {
        patch_fact_free(fact);
        return status;
    }
    patch->ends[patch->n_facts] = patch->n_entries;
    patch->facts[patch->n_facts++] = *fact;
    *fact = (struct patch_fact){0};
    return MNEME_OK;
}

/* The index of the rows that are left. */
static void index_rows(struct patch *patch) {
    struct slot_index *index = &patch->index;
    if (index->capacity > 0) memset(index->slots, 0xff, index->capacity * sizeof *index->slots);
    index->n = 0;
    /* It has room: it had these slots before. */
    for (size_t i = 0; i < patch->n_rows; i++) slot_index_add(index, patch->slots[i], i, NULL);
}

/* Takes back the last entry: the row becomes what it was, or leaves with the fact that brought it,
 * which brought the last rows. */
static void undo_entry(struct patch *patch) {
    const size_t entry = --patch->n_entries;
    if (patch->n_rows > 0 && patch->first_entries[patch->n_rows - 1] == entry) {
        patch->n_rows--;
        return;
    }
    memcpy(row_of(patch, slot_index_find(&patch->index, patch->journal[entry])),
           before_of(patch, entry - patch->n_rows), patch->width * sizeof(float));
}

void patch_undo(struct patch *patch, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t fact = --patch->n_facts;
        size_t first = fact == 0 ? 0 : patch->ends[fact - 1];
        while (patch->n_entries > first) undo_entry(patch);
        patch_fact_free(&patch->facts[fact]);
    }
    index_rows(patch);
}
