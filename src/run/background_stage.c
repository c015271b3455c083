#include "run/background_stage.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "model/batch_builder.h"
#include "model/memory_layer.h"
#include "run/pretraining.h"
#include "train/text_order.h"

/* What counting needs. */
struct counting {
    struct workspace workspace;
    struct batch_builder builder;
    const struct token_texts *texts;
    struct token_texts known; /* the known questions, when they are the texts */
    struct text_order order;
};

/* Of all tables. */
static size_t n_slots(const struct experiment *experiment) {
    return experiment->model.n_tables * model_n_slots(&experiment->model.config);
}

/* Each known question as it is asked, and its first answer. */
static mneme_status open_known(const struct experiment *experiment, struct token_texts *texts,
                               mneme_error *error) {
    size_t limit = experiment->recipe.model.max_seq_len;
    for (size_t i = 0; i < experiment->known.n; i++) {
        const struct fact *fact = &experiment->known.facts[i];
        struct text said = {0};
        text_add(&said, "%s %s", fact->prompt, fact->answers[0]);
        char *string = text_take(&said);
        if (string == NULL) return error_set_memory(error, "the known questions");
        mneme_status status =
            token_texts_add(texts, experiment->tokenizer, 1, &string, limit, error);
        free(string);
        if (status != MNEME_OK) return status;
    }
    return MNEME_OK;
}

char *background_stage_path(const struct experiment *experiment) {
    const char *name = experiment->recipe.finetune.smf.background == BACKGROUND_KNOWN
                           ? "background-known.safetensors"
                           : "background.safetensors";
    return experiment_path(experiment, "%s", name);
}

static mneme_status open_counting(const struct experiment *experiment, struct counting *c,
                                  mneme_error *error) {
    size_t tokens = experiment->recipe.background.batch_tokens;
    mneme_status status = MNEME_OK;
    c->texts = &experiment->pretraining;
    if (experiment->recipe.finetune.smf.background == BACKGROUND_KNOWN) {
        c->texts = &c->known;
        status = open_known(experiment, &c->known, error);
    }
    size_t longest = token_texts_longest(c->texts);
    if (tokens == 0) tokens = pretraining_batch_tokens(experiment);
    if (tokens < longest) tokens = longest;
    if (status == MNEME_OK) {
        status = workspace_open(&c->workspace, &experiment->model, tokens, true, error);
    }
    if (status == MNEME_OK) {
        const struct model *model = &experiment->model;
        status = workspace_pack(&c->workspace, model, model->config.n_layers, error);
    }
    if (status == MNEME_OK) status = batch_builder_open(&c->builder, tokens, error);
    if (status == MNEME_OK) {
        status = text_order_open(&c->order, c->texts, experiment->recipe.seed,
                                 RANDOM_STREAM_BACKGROUND, error);
    }
    return status;
}

static void close_counting(struct counting *c) {
    text_order_close(&c->order);
    token_texts_free(&c->known);
    batch_builder_close(&c->builder);
    workspace_close(&c->workspace);
}

static mneme_status count(const struct experiment *experiment, struct counting *c,
                          struct background *background, mneme_error *error) {
    size_t tokens = 0, n = experiment->recipe.background.batches;
    for (size_t i = 0; i < n; i++) {
        text_order_fill(&c->order, &c->builder, c->builder.max_tokens);
        struct batch batch = batch_builder_whole(&c->builder);
        mneme_status status = model_forward(&experiment->model, &c->workspace, &batch, NULL, error);
        if (status != MNEME_OK) return status;
        workspace_sort_reads(&c->workspace, &experiment->model, batch.n_tokens);
        const struct row_scatter *reads = &c->workspace.scatter;
        background_add(background, reads->n_groups, reads->group_rows, reads->group_starts);
        tokens += batch.n_tokens;
        experiment_progress(experiment, "background", "batches", i + 1, n, tokens, NULL);
    }
    return MNEME_OK;
}

mneme_status background_stage_count(const struct experiment *experiment,
                                    struct background *background, mneme_error *error) {
    struct counting counting = {0};
    mneme_status status = background_open(background, n_slots(experiment), error);
    if (status == MNEME_OK) status = open_counting(experiment, &counting, error);
    if (status == MNEME_OK) status = count(experiment, &counting, background, error);
    if (status != MNEME_OK) background_close(background);
    close_counting(&counting);
    return status;
}

mneme_status background_stage_load(const struct experiment *experiment,
                                   struct background *background, mneme_error *error) {
    char *path = background_stage_path(experiment);
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_status status = background_load(background, path, n_slots(experiment), error);
    free(path);
    return status;
}

mneme_status background_stage_run(const struct experiment *experiment,
                                  struct background *background, mneme_error *error) {
    char *path = background_stage_path(experiment);
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_status status;
    if (file_exists(path)) {
        status = background_stage_load(experiment, background, error);
    } else {
        status = background_stage_count(experiment, background, error);
        if (status == MNEME_OK) status = background_save(background, path, error);
        if (status != MNEME_OK) background_close(background);
    }
    free(path);
    return status;
}
