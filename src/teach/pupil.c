#include "teach/pupil.h"

#include <stdio.h>
#include <string.h>

#include "base/rehearsal.h"
#include "lesson/common_questions.h"
#include "patch/patch_model.h"
#include "smf/background_counter.h"
#include "smf/memory_from_data.h"
#include "smf/model_background.h"

/* Of the memory that a model gets: what one question changes is then hardly read by others. */
#define SHARPNESS 4.0f

static void tell(const struct pupil_options *o, const char *stage, const char *unit, size_t done,
                 size_t total, size_t tokens) {
    if (o->progress == NULL) return;
    const mneme_progress progress = {
        .stage = stage, .unit = unit, .done = done, .total = total, .tokens = tokens};
    o->progress(&progress, o->user);
}

static void tell_keys(void *user, size_t tokens, size_t n_tokens) {
    tell(user, "keys", "tokens", tokens, n_tokens, tokens);
}

static size_t or_else(size_t given, size_t otherwise) {
    return given != 0 ? given : otherwise;
}

/* Two thirds up, where what a question is about has been gathered. */
static size_t middle_layer(const struct model_config *config) {
    return config->n_layers - (config->n_layers + 2) / 3;
}

static mneme_status choose_memory(const struct pupil_options *o, const struct model_config *config,
                                  struct memory_config *memory, mneme_error *error) {
    const struct pupil_memory *given = &o->memory;
    size_t layer = given->layer == 0 ? middle_layer(config) : given->layer - 1;
    size_t k_dim = config->dim < 256 ? config->dim / 2 * 2 : 256;
    if (layer >= config->n_layers) {
        return error_set(error, MNEME_BAD_INPUT, "--layer is %zu: the model has layers 1 to %zu",
                         given->layer, config->n_layers);
    }
    *memory = (struct memory_config){.n_layers = 1,
                                     .layers = {layer},
                                     .placement = MEMORY_BESIDE,
                                     .scale = 1.0f,
                                     .n_keys = or_else(given->n_keys, 512),
                                     .heads = or_else(given->heads, 4),
                                     .knn = or_else(given->knn, 16),
                                     .k_dim = or_else(given->k_dim, k_dim),
                                     .v_dim = config->dim,
                                     .query_bias = true};
    if (memory->knn <= memory->n_keys) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "--knn is %zu, but there are %zu keys", memory->knn,
                     memory->n_keys);
}

/* Opens the folder's model, with an empty memory where it has none. */
static mneme_status open_model(struct pupil *pupil, const struct pupil_options *o,
                               mneme_error *error) {
    struct model_config config;
    struct memory_config memory;
    TRY(model_load_config(o->folder, &config, error));
    if (config.memory.n_layers > 0) return model_map(o->folder, &pupil->language.model, error);
    TRY(choose_memory(o, &config, &memory, error));
    pupil->has_new_memory = true;
    return model_load_with_memory(o->folder, &memory, &pupil->language.model, error);
}

static mneme_status read_text(struct pupil *pupil, const struct pupil_options *o,
                              mneme_error *error) {
    size_t n_tokens = or_else(o->batches, pupil->common.n_groups) * READING_LENGTH;
    if (n_tokens < MEMORY_DATA_TOKENS) n_tokens = MEMORY_DATA_TOKENS;
    return reading_open(&pupil->reading, pupil->language.tokenizer, o->texts, o->n_texts,
                        pupil->language.model.config.max_seq_len, n_tokens, error);
}

static mneme_status add_texts(struct token_texts *texts, const struct token_texts *more,
                              mneme_error *error) {
    for (size_t i = 0; i < more->n; i++) {
        TRY(token_texts_add_ids(texts, more->tokens.ids + more->starts[i], more->lengths[i] + 1,
                                error));
    }
    return MNEME_OK;
}

/* From text and common questions, so that keys tell apart what stands in questions and answers. */
static mneme_status make_keys(struct pupil *pupil, const struct pupil_options *o,
                              mneme_error *error) {
    const struct memory_data_settings settings = {.n_tokens = MEMORY_DATA_TOKENS,
                                                  .seed = o->seed,
                                                  .sharpness = SHARPNESS,
                                                  .progress = tell_keys,
                                                  .user = (void *)(uintptr_t)o};
    struct token_texts texts = {0};
    if (!pupil->has_new_memory) return MNEME_OK;
    mneme_status status = add_texts(&texts, &pupil->reading.texts, error);
    THEN(add_texts(&texts, &pupil->common.texts, error));
    THEN(memory_from_data(&pupil->language.model, &texts, &settings, error));
    token_texts_free(&texts);
    return status;
}

/* A batch of the background: text, and a group of common questions. */
static void fill_batch(const struct pupil *pupil, size_t i, struct batch_builder *builder) {
    const struct common_texts *common = &pupil->common;
    const size_t group = i % common->n_groups;
    batch_builder_clear(builder);
    batch_builder_add_text(builder, &pupil->reading.texts, i % pupil->reading.texts.n);
    for (size_t t = common->starts[group]; t < common->starts[group + 1]; t++) {
        batch_builder_add_text(builder, &common->texts, t);
    }
}

static mneme_status count_batches(struct pupil *pupil, const struct pupil_options *o,
                                  struct background_counter *counter, struct batch_builder *builder,
                                  mneme_error *error) {
    const size_t n = or_else(o->batches, pupil->common.n_groups);
    size_t tokens = 0;
    for (size_t i = 0; i < n; i++) {
        fill_batch(pupil, i, builder);
        const struct batch batch = batch_builder_whole(builder);
        TRY(background_counter_add(counter, &batch, &pupil->own, error));
        tokens += batch.n_tokens;
        tell(o, "background", "batches", i + 1, n, tokens);
    }
    return MNEME_OK;
}

/* Counts the background into pupil->own. */
static mneme_status count_background(struct pupil *pupil, const struct pupil_options *o,
                                     mneme_error *error) {
    const struct model *model = &pupil->language.model;
    const size_t max_tokens = READING_LENGTH + common_texts_longest(&pupil->common);
    struct background_counter counter = {0};
    struct batch_builder builder = {0};
    TRY(background_open(&pupil->own, model_background_slots(model), error));
    pupil->background = &pupil->own;
    mneme_status status = background_counter_open(&counter, model, max_tokens, error);
    THEN(batch_builder_open(&builder, max_tokens, error));
    THEN(rehearsal_ends(count_batches(pupil, o, &counter, &builder, error)));
    background_counter_close(&counter);
    batch_builder_close(&builder);
    return status;
}

/* How the model is spoken to, and the common questions so. */
static mneme_status open_voice(struct pupil *pupil, const struct pupil_options *o,
                               mneme_error *error) {
    struct question_set common = {0};
    TRY(language_model_open_texts(&pupil->language, o->folder, error));
    TRY(voice_open(&pupil->voice, &pupil->language, o->folder, o->prompt, o->wordings,
                   o->max_inputs, error));
    TRY(common_questions_load(&common, error));
    mneme_status status = common_texts_open(&pupil->common, &pupil->voice, &common, o->seed, error);
    questions_free(&common);
    return status;
}

/* A patch that begins here. */
static mneme_status begin_patch(struct pupil *pupil, const struct pupil_options *o,
                                mneme_error *error) {
    struct digest digest;
    TRY(open_model(pupil, o, error));
    TRY(open_voice(pupil, o, error));
    TRY(read_text(pupil, o, error));
    TRY(patch_base_digest(&pupil->language.model, pupil->has_new_memory, &digest, error));
    TRY(make_keys(pupil, o, error));
    TRY(count_background(pupil, o, error));
    return patch_open(&pupil->patch, &pupil->language.model, &digest, pupil->has_new_memory,
                      pupil->background, error);
}

/* A patch that goes on. */
static mneme_status continue_patch(struct pupil *pupil, const struct pupil_options *o,
                                   mneme_error *error) {
    struct model *model = &pupil->language.model;
    TRY(patch_model_load(o->folder, o->from, model, &pupil->patch, error));
    TRY(open_voice(pupil, o, error));
    TRY(read_text(pupil, o, error));
    pupil->background = &pupil->patch.background;
    if (pupil->patch.background.n_slots > 0) return MNEME_OK;
    return count_background(pupil, o, error);
}

mneme_status pupil_open(struct pupil *pupil, const struct pupil_options *o, mneme_error *error) {
    *pupil = (struct pupil){0};
    mneme_status status =
        o->from != NULL ? continue_patch(pupil, o, error) : begin_patch(pupil, o, error);
    if (status != MNEME_OK) pupil_close(pupil);
    return status;
}

void pupil_close(struct pupil *pupil) {
    patch_close(&pupil->patch);
    background_close(&pupil->own);
    reading_close(&pupil->reading);
    common_texts_close(&pupil->common);
    voice_close(&pupil->voice);
    language_model_close(&pupil->language);
    *pupil = (struct pupil){0};
}
