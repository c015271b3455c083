#include "run/background_stage.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/random.h"
#include "base/rehearsal.h"
#include "base/text.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "model/batch_builder.h"
#include "run/pretraining.h"
#include "smf/background_counter.h"
#include "smf/model_background.h"
#include "train/text_order.h"

/* What counting needs. */
struct counting {
    struct background_counter counter;
    struct batch_builder builder;
    const struct token_texts *texts;
    size_t batch_tokens;               /* of texts */
    const struct common_texts *common; /* a group of which is in every batch; NULL: none */
    struct token_texts known;          /* the known questions, when they are the texts */
    struct text_order order;
};

static size_t n_slots(const struct experiment *experiment) {
    return model_background_slots(&experiment->model);
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
        TRY(status);
    }
    return MNEME_OK;
}

struct path background_stage_path(const char *directory, const struct recipe_finetune *finetune) {
    return path_in(directory, finetune->smf.background == BACKGROUND_KNOWN ? FOLDER_BACKGROUND_KNOWN
                                                                           : FOLDER_BACKGROUND);
}

/* Where the experiment's background is. */
static struct path find_path(const struct experiment *e) {
    return background_stage_path(e->directory, &e->recipe.finetune);
}

/* The texts that are read, and a pass for batches of them. */
static mneme_status open_counting(const struct experiment *experiment, struct counting *c,
                                  mneme_error *error) {
    size_t tokens = experiment->recipe.background.batch_tokens;
    const struct packed_text *packed = &experiment->text;
    c->texts = &experiment->pretraining;
    c->common = experiment->common.n_groups > 0 ? &experiment->common : NULL;
    if (experiment->recipe.finetune.smf.background == BACKGROUND_KNOWN) {
        c->texts = experiment->answer_lines ? &experiment->known.answered : &c->known;
        packed = NULL;
        c->common = NULL;
        if (!experiment->answer_lines) TRY(open_known(experiment, &c->known, error));
    }
    size_t longest = text_order_longest(c->texts, packed);
    if (tokens == 0) tokens = pretraining_batch_tokens(experiment);
    if (tokens < longest) tokens = longest;
    c->batch_tokens = tokens;
    if (c->common != NULL) tokens += common_texts_longest(c->common);
    TRY(background_counter_open(&c->counter, &experiment->model, tokens, error));
    TRY(batch_builder_open(&c->builder, tokens, error));
    return text_order_open_packed(&c->order, c->texts, packed, experiment->recipe.seed,
                                  RANDOM_STREAM_BACKGROUND, error);
}

static void close_counting(struct counting *c) {
    text_order_close(&c->order);
    token_texts_free(&c->known);
    batch_builder_close(&c->builder);
    background_counter_close(&c->counter);
}

/* Adds a group of the common questions. */
static void add_common(struct batch_builder *builder, const struct common_texts *common, size_t i) {
    const size_t group = i % common->n_groups;
    for (size_t t = common->starts[group]; t < common->starts[group + 1]; t++) {
        batch_builder_add_text(builder, &common->texts, t);
    }
}

static struct batch next_batch(struct counting *c, size_t i) {
    text_order_fill(&c->order, &c->builder, c->batch_tokens);
    if (c->common != NULL) add_common(&c->builder, c->common, i);
    return batch_builder_whole(&c->builder);
}

static mneme_status count(const struct experiment *experiment, struct counting *c,
                          struct background *background, mneme_error *error) {
    size_t tokens = 0, n = experiment->recipe.background.batches;
    for (size_t i = 0; i < n; i++) {
        const struct batch batch = next_batch(c, i);
        TRY(background_counter_add(&c->counter, &batch, background, error));
        tokens += batch.n_tokens;
        experiment_progress(experiment, "background", "batches", i + 1, n, tokens, NULL);
    }
    return MNEME_OK;
}

mneme_status background_stage_count(const struct experiment *experiment,
                                    struct background *background, mneme_error *error) {
    struct counting counting = {0};
    TRY(background_open(background, n_slots(experiment), error));
    mneme_status status = open_counting(experiment, &counting, error);
    THEN(rehearsal_ends(count(experiment, &counting, background, error)));
    if (status != MNEME_OK) background_close(background);
    close_counting(&counting);
    return status;
}

PATH_OUT_OF_LINE mneme_status background_stage_load(const struct experiment *experiment,
                                                    struct background *background,
                                                    mneme_error *error) {
    struct path path = find_path(experiment);
    if (file_exists(path.text)) TRY(manifest_check(experiment->directory, path.text, error));
    return background_load(background, path.text, n_slots(experiment), error);
}

/* What was counted goes to its file, and of ordinary text to the base's folder, too. */
static PATH_OUT_OF_LINE mneme_status save(const struct experiment *e,
                                          const struct background *background, mneme_error *error) {
    struct path path = find_path(e), of_base = path_in(e->base_folder, MODEL_BACKGROUND_FILE);
    const bool is_ordinary = e->recipe.finetune.smf.background != BACKGROUND_KNOWN;
    const char *const paths[] = {path.text, of_base.text};
    const size_t n = is_ordinary ? 2 : 1;
    TRY(manifest_forget(e->directory, paths, n, error));
    if (is_ordinary) TRY(model_background_save(background, &e->model, e->base_folder, error));
    TRY(background_save(background, path.text, error));
    return manifest_sign(e->directory, paths, n, error);
}

static PATH_OUT_OF_LINE bool is_there(const struct experiment *experiment) {
    struct path path = find_path(experiment);
    return experiment->is_read ? file_exists(path.text)
                               : manifest_holds(experiment->directory, path.text);
}

mneme_status background_stage_run(const struct experiment *experiment,
                                  struct background *background, mneme_error *error) {
    if (is_there(experiment)) return background_stage_load(experiment, background, error);
    TRY(background_stage_count(experiment, background, error));
    mneme_status status = save(experiment, background, error);
    if (status != MNEME_OK) background_close(background);
    return status;
}
