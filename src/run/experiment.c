#include "run/experiment.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "corpus/text_sample.h"
#include "data/asking.h"
#include "nn/matmul_backend.h"
#include "recipe/recipe_load.h"
#include "run/folder.h"
#include "run/manifest.h"
#include "run/packed_file.h"
#include "run/stage.h"
#include "run/trail.h"
#include "text/form.h"

/* Of a text corpus a tokenizer is learned from the first documents, this many bytes. */
#define SAMPLE_BYTES ((size_t)32 << 20)

void experiment_tell(const struct experiment *experiment, const mneme_progress *progress) {
    if (experiment->progress != NULL) experiment->progress(progress, experiment->user);
}

void experiment_progress(const struct experiment *experiment, const char *stage, const char *unit,
                         size_t done, size_t total, size_t tokens, const float *loss) {
    const mneme_progress progress = {.stage = stage,
                                     .unit = unit,
                                     .done = done,
                                     .total = total,
                                     .tokens = tokens,
                                     .has_loss = loss != NULL,
                                     .loss = loss == NULL ? 0.0f : *loss};
    experiment_tell(experiment, &progress);
}

void experiment_warn(const struct experiment *experiment, const char *format, ...) {
    char line[sizeof((mneme_error *)NULL)->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const mneme_progress progress = {.stage = "", .unit = "", .warning = line};
    experiment_tell(experiment, &progress);
}

/* The folder of the pretrained model that the recipe begins with; NULL: none. */
static const char *base_of(const struct recipe *recipe) {
    const struct key *key = key_find(&recipe_keys, "base");
    return key == NULL ? NULL : *(char *const *)(const void *)((const char *)recipe + key->offset);
}

/* Whether facts are taught by wordings and statements, or by the forms that were the first. */
static bool are_worded(const struct recipe *recipe) {
    return recipe->corpus.wordings != NULL || base_of(recipe) != NULL;
}

/* Asks the facts as the recipe says. */
static mneme_status ask_facts(struct experiment *experiment, mneme_error *error) {
    const struct recipe *recipe = &experiment->recipe;
    const struct path place = path_in("", "%s: key `evaluate.prompt`", recipe->path);
    const struct corpus_asking asking = {.prompt = recipe->evaluate.prompt,
                                         .place = place.text,
                                         .n_shots = recipe->evaluate.shots,
                                         .shots_from = recipe->evaluate.shots_from};
    experiment->answer_lines =
        asking.prompt != NULL || asking.n_shots > 0 || base_of(recipe) != NULL;
    return experiment->answer_lines ? corpus_ask(&experiment->corpus, &asking, error) : MNEME_OK;
}

static mneme_status open_questions(struct experiment *experiment,
                                   const struct question_sources *sources, mneme_error *error) {
    struct question_sources worded = *sources;
    struct wordings wordings = {0};
    mneme_status status = MNEME_OK;
    if (are_worded(&experiment->recipe)) {
        worded.wordings = &wordings;
        status = wordings_load(experiment->recipe.corpus.wordings, &wordings, error);
    }
    THEN(corpus_from_questions(&worded, &experiment->corpus, error));
    wordings_free(&wordings);
    return status;
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
                                       .fresh = from->new,
                                       .skill = from->skill,
                                       .max_known = from->max_known,
                                       .max_fresh = from->new_facts,
                                       .max_skill = from->max_skill,
                                       .n_skill_test = from->skill_test_texts};
    return open_questions(experiment, &sources, error);
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

/* What a tokenizer is learned from: the texts, and of the recipe's text a part. */
static mneme_status sample_texts(const struct experiment *e, struct text_list *sample,
                                 mneme_error *error) {
    const struct key_strings *sources = &e->recipe.corpus.text;
    size_t n;
    char **texts = list_texts(&e->corpus, &n);
    mneme_status status = texts == NULL ? error_set_memory(error, "the texts") : MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = text_list_add_copy(sample, texts[i], strlen(texts[i]), error);
    }
    free(texts);
    if (sources->n == 0) return status;
    THEN(text_sample_load((const char *const *)sources->texts, sources->n, SAMPLE_BYTES, sample,
                          error));
    return status;
}

static mneme_status learn_tokenizer(const struct experiment *experiment,
                                    struct tokenizer **tokenizer, mneme_error *error) {
    struct text_list sample = {0};
    mneme_status status = sample_texts(experiment, &sample, error);
    THEN(tokenizer_train((const char *const *)sample.texts, sample.n,
                         experiment->recipe.tokenizer.vocab_size, tokenizer, error));
    text_list_free(&sample);
    return status;
}

mneme_status experiment_make_tokenizer(const struct experiment *e, struct tokenizer **tokenizer,
                                       mneme_error *error) {
    if (e->recipe.base == NULL) return learn_tokenizer(e, tokenizer, error);
    struct path path = path_in(e->recipe.base, FOLDER_TOKENIZER);
    TRY(tokenizer_load(path.text, tokenizer, error));
    size_t n = tokenizer_vocab_size(*tokenizer), most = e->recipe.model.vocab_size;
    if (n <= most) return MNEME_OK;
    tokenizer_free(*tokenizer);
    *tokenizer = NULL;
    return error_set(error, MNEME_BAD_INPUT, "%s: has %zu tokens, but the model beside it %zu",
                     path.text, n, most);
}

/* Made once. */
static mneme_status open_tokenizer(struct experiment *experiment, mneme_error *error) {
    struct path path = path_in(experiment->directory, FOLDER_TOKENIZER);
    if (experiment->is_read ? file_exists(path.text)
                            : manifest_holds(experiment->directory, path.text)) {
        TRY(manifest_check(experiment->directory, path.text, error));
        return tokenizer_load(path.text, &experiment->tokenizer, error);
    }
    TRY(experiment_make_tokenizer(experiment, &experiment->tokenizer, error));
    return tokenizer_save(experiment->tokenizer, path.text, error);
}

/* How wordings and prompts are written for the model. */
static struct text_manner manner_of(const struct experiment *experiment) {
    const struct recipe *recipe = &experiment->recipe;
    const size_t cut = recipe->finetune.sequence_length, most = recipe->model.max_seq_len;
    return model_texts_manner(&experiment->texts, cut > 0 && cut < most ? cut : most);
}

/* The prompt with the first answer; the caller frees it. NULL without memory. */
static char *answered_prompt(const struct experiment *experiment, const struct fact *fact) {
    struct text text = {0};
    text_add(&text, "%s%s%s", fact->prompt, experiment->corpus.answer_lead, fact->answers[0]);
    return text_take(&text);
}

/* Adds what asks a fact, and what answers it. */
static mneme_status open_fact(struct experiment *e, const struct fact *fact,
                              struct fact_tokens *tokens, mneme_error *error) {
    const struct text_manner manner = manner_of(e);
    if (form_is_chat(fact->prompt) && e->texts.style == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: key `evaluate.prompt`: has turns, but how the model writes chats is "
                         "not known",
                         e->recipe.path);
    }
    TRY(token_texts_add_asked(&tokens->prompts, e->tokenizer, &manner, fact->prompt, error));
    if (!e->answer_lines) return MNEME_OK;
    char *answered = answered_prompt(e, fact);
    if (answered == NULL) return error_set_memory(error, "the questions");
    mneme_status status =
        token_texts_add_asked(&tokens->answered, e->tokenizer, &manner, answered, error);
    free(answered);
    return status;
}

static mneme_status open_facts(struct experiment *experiment, const struct fact *facts, size_t n,
                               struct fact_tokens *tokens, mneme_error *error) {
    tokens->facts = facts;
    tokens->n = n;
    for (size_t i = 0; i < n; i++) TRY(open_fact(experiment, &facts[i], tokens, error));
    size_t longest = token_texts_longest(&tokens->prompts);
    size_t limit = experiment->recipe.model.max_seq_len;
    if (longest + 1 <= limit) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: model.max_seq_len is %zu, but a question has %zu tokens, and its answer "
                     "needs one more",
                     experiment->recipe.path, limit, longest);
}

/* A fact is a lesson, or else a document's chunk. */
static struct lesson lesson_of(const struct corpus *corpus, size_t i) {
    if (corpus->n_lessons > 0) return corpus->lessons[i];
    return (struct lesson){corpus->fresh[i].texts, corpus->fresh[i].n_texts, 1};
}

/* Says what of the wordings is not taught as it stands. */
static mneme_status note_lost(struct experiment *experiment, const struct texts_lost *lost,
                              size_t max_inputs, mneme_error *error) {
    struct text_list *notes = &experiment->corpus.notes;
    struct text note = {0};
    if (lost->n_cut > 0) {
        text_add(&note, "wordings of more than %zu tokens, cut there: %zu", max_inputs,
                 lost->n_cut);
        TRY(text_list_add(notes, text_take(&note), error));
    }
    if (lost->n_chats == 0) return MNEME_OK;
    text_add(&note,
             "wordings that are chats, left out since how the model writes chats is not "
             "known: %zu",
             lost->n_chats);
    return text_list_add(notes, text_take(&note), error);
}

/* Adds the texts of a lesson: cut where the recipe has wordings or a length of its own. */
static mneme_status add_lesson(struct experiment *e, size_t number, struct texts_lost *lost,
                               mneme_error *error) {
    struct token_texts *texts = &e->lessons.texts;
    const struct lesson lesson = lesson_of(&e->corpus, number);
    const struct text_manner manner = manner_of(e);
    if (!are_worded(&e->recipe) && e->recipe.finetune.sequence_length == 0) {
        return token_texts_add(texts, e->tokenizer, lesson.n_texts, lesson.texts,
                               e->recipe.model.max_seq_len, error);
    }
    const size_t before = texts->n;
    TRY(token_texts_add_in(texts, e->tokenizer, &manner, lesson.n_texts, lesson.texts, lost,
                           error));
    if (texts->n > before) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: key `corpus.wordings`: no wording that teaches fact %zu is left%s",
                     e->recipe.path, number + 1,
                     lost->n_chats > 0 ? ", since how the model writes chats is not known" : "");
}

static mneme_status open_lessons(struct experiment *experiment, mneme_error *error) {
    const struct corpus *corpus = &experiment->corpus;
    const bool are_facts = corpus->n_lessons == 0;
    struct lessons *lessons = &experiment->lessons;
    struct texts_lost lost = {0};
    lessons->n = are_facts ? corpus->n_fresh : corpus->n_lessons;
    lessons->unit = are_facts ? "facts" : "chunks";
    lessons->first_text = calloc(lessons->n + 1, sizeof *lessons->first_text);
    lessons->first_fact = calloc(lessons->n + 1, sizeof *lessons->first_fact);
    if (lessons->first_text == NULL || lessons->first_fact == NULL) {
        return error_set_memory(error, "the facts");
    }
    for (size_t i = 0; i < lessons->n; i++) {
        TRY(add_lesson(experiment, i, &lost, error));
        lessons->first_text[i + 1] = lessons->texts.n;
        lessons->first_fact[i + 1] = lessons->first_fact[i] + lesson_of(corpus, i).n_facts;
    }
    return note_lost(experiment, &lost, manner_of(experiment).max_inputs, error);
}

/* The tokenizer, and what pretraining reads. */
static mneme_status open_pretraining(struct experiment *experiment, mneme_error *error) {
    size_t n;
    char **texts = list_texts(&experiment->corpus, &n);
    if (texts == NULL) return error_set_memory(error, "the texts");
    mneme_status status = open_tokenizer(experiment, error);
    THEN(token_texts_add(&experiment->pretraining, experiment->tokenizer, n, texts,
                         experiment->recipe.model.max_seq_len, error));
    free(texts);
    return status;
}

static void tell_packing(void *context, size_t bytes, size_t total, size_t tokens) {
    experiment_progress(context, "text", "KB", bytes / 1000, total / 1000, tokens, NULL);
}

/* What was left out of a text. */
static mneme_status note_text(struct experiment *e, const char *key, const struct packed_text *text,
                              mneme_error *error) {
    struct text empty = {0}, files = {0};
    if (text->n_empty > 0) {
        text_add(&empty, "corpus.%s: %zu of %zu documents are empty and were passed over", key,
                 text->n_empty, text->n_empty + text->n_documents);
        TRY(text_list_add(&e->corpus.notes, text_take(&empty), error));
    }
    if (text->n_passed_over == 0) return MNEME_OK;
    text_add(&files, "corpus.%s: files of its folders whose names do not end as text does: %zu",
             key, text->n_passed_over);
    return text_list_add(&e->corpus.notes, text_take(&files), error);
}

static mneme_status check_sequence_length(const struct recipe *recipe, mneme_error *error) {
    const size_t wanted = recipe->pretrain.sequence_length, limit = recipe->model.max_seq_len;
    if (wanted <= limit) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: pretrain.sequence_length is %zu, but model.max_seq_len %zu", recipe->path,
                     wanted, limit);
}

/* The recipe's text, and what is held out of it. */
static mneme_status open_packed(struct experiment *e, mneme_error *error) {
    TRY(check_sequence_length(&e->recipe, error));
    struct packed_file file = {.directory = e->directory,
                               .is_read = e->is_read,
                               .name = FOLDER_TEXT,
                               .key = "text",
                               .sources = &e->recipe.corpus.text,
                               .tokenizer = e->tokenizer,
                               .sequence_length = packed_file_sequence_length(&e->recipe),
                               .progress = {tell_packing, e}};
    TRY(packed_file_open(&file, &e->text, error));
    TRY(note_text(e, file.key, &e->text, error));
    file.name = FOLDER_HELD_OUT_TEXT;
    file.key = "held_out_text";
    file.sources = &e->recipe.corpus.held_out_text;
    TRY(packed_file_open(&file, &e->held_out_text, error));
    return note_text(e, file.key, &e->held_out_text, error);
}

static mneme_status open_texts(struct experiment *experiment, mneme_error *error) {
    const struct corpus *corpus = &experiment->corpus;
    TRY(open_pretraining(experiment, error));
    TRY(model_texts_open(&experiment->texts, experiment->tokenizer, base_of(&experiment->recipe),
                         error));
    TRY(token_texts_add(&experiment->skill_test, experiment->tokenizer, corpus->n_skill_test,
                        corpus->skill_test, experiment->recipe.model.max_seq_len, error));
    TRY(open_facts(experiment, corpus->known, corpus->n_known, &experiment->known, error));
    TRY(open_facts(experiment, corpus->fresh, corpus->n_fresh, &experiment->fresh, error));
    TRY(open_lessons(experiment, error));
    return open_packed(experiment, error);
}

/* What opening a folder may write into it. */
static const char *const opening_files[] = {IDENTITY_RECIPE, IDENTITY_INPUTS,      FOLDER_TOKENIZER,
                                            FOLDER_TEXT,     FOLDER_HELD_OUT_TEXT, FOLDER_MANIFEST};

#define N_OPENING_FILES (sizeof opening_files / sizeof *opening_files)

/* Which of these files are there. */
static void note_files(const char *directory, bool there[N_OPENING_FILES]) {
    for (size_t i = 0; i < N_OPENING_FILES; i++) {
        there[i] = file_exists(path_in(directory, "%s", opening_files[i]).text);
    }
}

/* A recipe that turned out not to fit its texts must not hold the folder against a better one. */
static void remove_new_files(const char *directory, const bool there[N_OPENING_FILES]) {
    for (size_t i = 0; i < N_OPENING_FILES; i++) {
        if (!there[i]) unlink(path_in(directory, "%s", opening_files[i]).text);
    }
}

/* What tells whose folder it is must be what was written. */
static mneme_status check_recipe(const char *directory, mneme_error *error) {
    struct path recipe = path_in(directory, IDENTITY_RECIPE);
    return manifest_holds(directory, recipe.text) ? manifest_check(directory, recipe.text, error)
                                                  : MNEME_OK;
}

/* A folder that is there already: its digests, and the contract that it was made under. */
static mneme_status check_folder(const struct experiment *e, mneme_error *error) {
    struct manifest manifest;
    const struct stage pretraining = stage_pretraining();
    struct path folder = stage_folder(e->directory, &pretraining);
    TRY(manifest_read(e->directory, &manifest, error));
    const bool there = manifest.there;
    manifest_free(&manifest);
    TRY(check_recipe(e->directory, error));
    TRY(trail_check_contract(path_in(folder.text, FOLDER_TRAIL).text, error));
    if (there || !file_exists(path_in(e->directory, IDENTITY_RECIPE).text)) return MNEME_OK;
    experiment_warn(e,
                    "%s: has no " FOLDER_MANIFEST
                    ": an earlier version made it, and what is in it "
                    "cannot be checked",
                    e->directory);
    return MNEME_OK;
}

/* The digests begin with the folder, or with those of all that an earlier version left in it. */
static mneme_status begin_manifest(const struct experiment *e, mneme_error *error) {
    if (e->is_read || file_exists(path_in(e->directory, FOLDER_MANIFEST).text)) return MNEME_OK;
    return file_exists(path_in(e->directory, IDENTITY_RECIPE).text)
               ? manifest_adopt(e->directory, error)
               : manifest_begin(e->directory, error);
}

/* Adds what opening the folder wrote. */
static mneme_status sign_opened(const struct experiment *e, mneme_error *error) {
    struct path recipe = path_in(e->directory, IDENTITY_RECIPE);
    struct path tokenizer = path_in(e->directory, FOLDER_TOKENIZER);
    const char *const paths[] = {recipe.text, tokenizer.text};
    if (e->is_read || (manifest_holds(e->directory, recipe.text) &&
                       manifest_holds(e->directory, tokenizer.text))) {
        return MNEME_OK;
    }
    return manifest_sign(e->directory, paths, 2, error);
}

/* All that needs the recipe alone. */
static mneme_status open_parts(struct experiment *e, enum identity_scope scope,
                               mneme_error *error) {
    TRY(directory_make(e->directory, error));
    TRY(begin_manifest(e, error));
    TRY(identity_check(&e->recipe, e->directory, scope, !e->is_read, error));
    TRY(open_texts(e, error));
    TRY(sign_opened(e, error));
    if (e->recipe.base == NULL) {
        e->recipe.model.vocab_size = tokenizer_vocab_size(e->tokenizer);
    }
    return model_open(&e->recipe.model, &e->model, error);
}

static mneme_status load_recipe(const mneme_run_options *options, struct recipe *recipe,
                                mneme_error *error) {
    return options->recipe == NULL ? identity_recipe(options->directory, options->overrides,
                                                     options->n_overrides, recipe, error)
                                   : recipe_load(options->recipe, options->overrides,
                                                 options->n_overrides, recipe, error);
}

mneme_status experiment_open(const mneme_run_options *options, enum identity_scope scope,
                             struct experiment *experiment, mneme_error *error) {
    *experiment = (struct experiment){.directory = options->directory,
                                      .is_read = options->recipe == NULL,
                                      .progress = options->progress,
                                      .user = options->user};
    TRY(check_folder(experiment, error));
    TRY(load_recipe(options, &experiment->recipe, error));
    experiment->base_folder = strdup(path_in(options->directory, FOLDER_BASE).text);
    experiment->pretrain_folder = strdup(path_in(options->directory, FOLDER_PRETRAIN).text);
    mneme_status status = matmul_backend_choose(experiment->recipe.matmul, error);
    THEN(open_corpus(experiment, error));
    THEN(ask_facts(experiment, error));
    bool there[N_OPENING_FILES];
    note_files(options->directory, there);
    if (experiment->base_folder == NULL || experiment->pretrain_folder == NULL) {
        status = error_set_memory(error, options->directory);
    }
    THEN(open_parts(experiment, scope, error));
    if (status == MNEME_OK) return MNEME_OK;
    remove_new_files(options->directory, there);
    experiment_close(experiment);
    return status;
}

void experiment_close(struct experiment *experiment) {
    base_copy_free(&experiment->base);
    model_close(&experiment->model);
    token_texts_free(&experiment->known.prompts);
    token_texts_free(&experiment->fresh.prompts);
    model_texts_close(&experiment->texts);
    token_texts_free(&experiment->known.answered);
    token_texts_free(&experiment->fresh.answered);
    lessons_free(&experiment->lessons);
    token_texts_free(&experiment->skill_test);
    token_texts_free(&experiment->pretraining);
    packed_text_close(&experiment->text);
    packed_text_close(&experiment->held_out_text);
    tokenizer_free(experiment->tokenizer);
    corpus_free(&experiment->corpus);
    recipe_free(&experiment->recipe);
    free(experiment->base_folder);
    free(experiment->pretrain_folder);
    matmul_backend_choose(MATMUL_CANONICAL, NULL);
    *experiment = (struct experiment){0};
}
