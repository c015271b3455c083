#include "run/experiment.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "nn/matmul_backend.h"
#include "simd/simd.h"

char *experiment_path(const struct experiment *experiment, const char *format, ...) {
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return path_join(experiment->directory, name);
}

void experiment_progress(const struct experiment *experiment, const char *stage, const char *unit,
                         size_t done, size_t total, size_t tokens, const float *loss) {
    if (experiment->progress == NULL) return;
    mneme_progress progress = {.stage = stage,
                               .unit = unit,
                               .done = done,
                               .total = total,
                               .tokens = tokens,
                               .has_loss = loss != NULL,
                               .loss = loss == NULL ? 0.0f : *loss};
    experiment->progress(&progress, experiment->user);
}

static mneme_status open_corpus(struct experiment *experiment, mneme_error *error) {
    const struct recipe_corpus *from = &experiment->recipe.corpus;
    if (from->world != NULL) {
        struct world_sizes sizes = {.known_entities = from->known_entities,
                                    .fresh_facts = from->new_facts,
                                    .fresh_subjects = from->new_subjects,
                                    .facts_per_chunk = from->facts_per_chunk,
                                    .rewrites = from->rewrites,
                                    .skill_texts = from->skill_texts,
                                    .skill_test_texts = from->skill_test_texts,
                                    .background_texts = from->background_texts};
        return corpus_from_world(from->world, &sizes, experiment->recipe.seed, &experiment->corpus,
                                 error);
    }
    struct question_sources sources = {.known = from->known,
                                       .fresh = from->new_questions,
                                       .skill = from->skill,
                                       .max_known = from->max_known,
                                       .max_fresh = from->new_facts,
                                       .max_skill = from->max_skill,
                                       .n_skill_test = from->skill_test_texts};
    return corpus_from_questions(&sources, &experiment->corpus, error);
}

/* Every text that pretraining reads, in a fixed order; the strings stay the corpus's. */
static char **list_texts(const struct corpus *corpus, size_t *n) {
    *n = corpus->n_skill_train + corpus->n_background;
    for (size_t i = 0; i < corpus->n_known; i++) *n += corpus->known[i].n_texts;
    char **texts = malloc((*n + 1) * sizeof *texts);
    if (texts == NULL) return NULL;
    size_t at = 0;
    for (size_t i = 0; i < corpus->n_known; i++) {
        for (size_t t = 0; t < corpus->known[i].n_texts; t++) {
            texts[at++] = corpus->known[i].texts[t];
        }
    }
    for (size_t i = 0; i < corpus->n_skill_train; i++) texts[at++] = corpus->skill_train[i];
    for (size_t i = 0; i < corpus->n_background; i++) texts[at++] = corpus->background[i];
    return texts;
}

/* The tokenizer is learned from the run's own text, once. */
static mneme_status open_tokenizer(struct experiment *experiment, char *const *texts, size_t n,
                                   mneme_error *error) {
    char *path = experiment_path(experiment, "tokenizer.json");
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_status status;
    if (file_exists(path)) {
        status = tokenizer_load(path, &experiment->tokenizer, error);
    } else {
        status = tokenizer_train((const char *const *)texts, n, experiment->recipe.vocab_size,
                                 &experiment->tokenizer, error);
        if (status == MNEME_OK) status = tokenizer_save(experiment->tokenizer, path, error);
    }
    free(path);
    return status;
}

static mneme_status open_facts(struct experiment *experiment, const struct fact *facts, size_t n,
                               struct fact_tokens *tokens, mneme_error *error) {
    tokens->facts = facts;
    tokens->n = n;
    for (size_t i = 0; i < n; i++) {
        mneme_status status =
            token_texts_add_prompt(&tokens->prompts, experiment->tokenizer, facts[i].prompt, error);
        if (status != MNEME_OK) return status;
    }
    size_t longest = token_texts_longest(&tokens->prompts);
    size_t limit = experiment->recipe.model.max_seq_len;
    if (longest + 1 <= limit) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: model.max_seq_len is %zu, but a question has %zu tokens",
                     experiment->recipe.path, limit, longest);
}

static mneme_status open_lessons(struct experiment *experiment, mneme_error *error) {
    const struct corpus *corpus = &experiment->corpus;
    const bool are_facts = corpus->n_lessons == 0;
    struct lesson_tokens *lessons = &experiment->lessons;
    size_t limit = experiment->recipe.model.max_seq_len;
    lessons->n = are_facts ? corpus->n_fresh : corpus->n_lessons;
    lessons->unit = are_facts ? "facts" : "chunks";
    lessons->first_text = calloc(lessons->n + 1, sizeof *lessons->first_text);
    lessons->first_fact = calloc(lessons->n + 1, sizeof *lessons->first_fact);
    if (lessons->first_text == NULL || lessons->first_fact == NULL) {
        return error_set_memory(error, "the facts");
    }
    for (size_t i = 0; i < lessons->n; i++) {
        const struct lesson lesson =
            are_facts ? (struct lesson){corpus->fresh[i].texts, corpus->fresh[i].n_texts, 1}
                      : corpus->lessons[i];
        mneme_status status = token_texts_add(&lessons->texts, experiment->tokenizer,
                                              lesson.n_texts, lesson.texts, limit, error);
        if (status != MNEME_OK) return status;
        lessons->first_text[i + 1] = lessons->texts.n;
        lessons->first_fact[i + 1] = lessons->first_fact[i] + lesson.n_facts;
    }
    return MNEME_OK;
}

static mneme_status open_texts(struct experiment *experiment, mneme_error *error) {
    const struct corpus *corpus = &experiment->corpus;
    size_t n, limit = experiment->recipe.model.max_seq_len;
    char **texts = list_texts(corpus, &n);
    if (texts == NULL) return error_set_memory(error, "the texts");
    mneme_status status = open_tokenizer(experiment, texts, n, error);
    if (status == MNEME_OK) {
        status = token_texts_add(&experiment->pretraining, experiment->tokenizer, n, texts, limit,
                                 error);
    }
    free(texts);
    if (status == MNEME_OK) {
        status = token_texts_add(&experiment->skill_test, experiment->tokenizer,
                                 corpus->n_skill_test, corpus->skill_test, limit, error);
    }
    if (status == MNEME_OK) {
        status = open_facts(experiment, corpus->known, corpus->n_known, &experiment->known, error);
    }
    if (status == MNEME_OK) {
        status = open_facts(experiment, corpus->fresh, corpus->n_fresh, &experiment->fresh, error);
    }
    return status == MNEME_OK ? open_lessons(experiment, error) : status;
}

/* What opening a folder may write into it. */
static const char *const opening_files[] = {"recipe.json", "inputs.json", "tokenizer.json"};

#define N_OPENING_FILES (sizeof opening_files / sizeof *opening_files)

/* Which of these files are there. */
static void note_files(const struct experiment *experiment, bool there[N_OPENING_FILES]) {
    for (size_t i = 0; i < N_OPENING_FILES; i++) {
        char *path = experiment_path(experiment, "%s", opening_files[i]);
        there[i] = path == NULL || file_exists(path);
        free(path);
    }
}

/* A recipe that turned out not to fit its texts must not hold the folder against a better one. */
static void remove_new_files(const struct experiment *experiment,
                             const bool there[N_OPENING_FILES]) {
    for (size_t i = 0; i < N_OPENING_FILES; i++) {
        char *path = there[i] ? NULL : experiment_path(experiment, "%s", opening_files[i]);
        if (path != NULL) unlink(path);
        free(path);
    }
}

mneme_status experiment_open(const mneme_run_options *options, enum identity_scope scope,
                             struct experiment *experiment, mneme_error *error) {
    *experiment = (struct experiment){
        .directory = options->directory, .progress = options->progress, .user = options->user};
    if (simd_problem() != NULL) return error_set(error, MNEME_BAD_INPUT, "%s", simd_problem());
    bool again = options->recipe == NULL;
    mneme_status status = again ? identity_recipe(options->directory, options->overrides,
                                                  options->n_overrides, &experiment->recipe, error)
                                : recipe_load(options->recipe, options->overrides,
                                              options->n_overrides, &experiment->recipe, error);
    if (status != MNEME_OK) return status;
    status = matmul_backend_choose(experiment->recipe.matmul, error);
    if (status == MNEME_OK) status = open_corpus(experiment, error);
    bool there[N_OPENING_FILES];
    note_files(experiment, there);
    if (status == MNEME_OK) status = directory_make(options->directory, error);
    if (status == MNEME_OK) {
        status = identity_check(&experiment->recipe, options->directory, scope, !again, error);
    }
    if (status == MNEME_OK) status = open_texts(experiment, error);
    if (status == MNEME_OK) {
        experiment->recipe.model.vocab_size = tokenizer_vocab_size(experiment->tokenizer);
        status = model_open(&experiment->recipe.model, &experiment->model, error);
    }
    if (status == MNEME_OK) return MNEME_OK;
    remove_new_files(experiment, there);
    experiment_close(experiment);
    return status;
}

void experiment_close(struct experiment *experiment) {
    free(experiment->base_parameters);
    model_close(&experiment->model);
    token_texts_free(&experiment->known.prompts);
    token_texts_free(&experiment->fresh.prompts);
    token_texts_free(&experiment->lessons.texts);
    free(experiment->lessons.first_text);
    free(experiment->lessons.first_fact);
    token_texts_free(&experiment->skill_test);
    token_texts_free(&experiment->pretraining);
    tokenizer_free(experiment->tokenizer);
    corpus_free(&experiment->corpus);
    recipe_free(&experiment->recipe);
    matmul_backend_choose(MATMUL_CANONICAL, NULL);
    *experiment = (struct experiment){0};
}

mneme_status experiment_keep_base(struct experiment *experiment, mneme_error *error) {
    const struct arena *arena = &experiment->model.arena;
    if (experiment->base_parameters == NULL) {
        experiment->base_parameters = memory_allocate(arena->size, 1);
    }
    if (experiment->base_parameters == NULL) return error_set_memory(error, "the base model");
    memcpy(experiment->base_parameters, arena->base, arena->size);
    return MNEME_OK;
}

void experiment_restore_base(struct experiment *experiment) {
    const struct arena *arena = &experiment->model.arena;
    memcpy(arena->base, experiment->base_parameters, arena->size);
}
