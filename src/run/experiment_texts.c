#include "run/experiment.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rehearsal.h"
#include "base/text.h"
#include "corpus/text_files.h"
#include "corpus/text_sample.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "folder/packed_file.h"
#include "run/new_questions.h"

/* Of a text corpus a tokenizer is learned from the first documents, this many bytes. */
#define SAMPLE_BYTES ((size_t)32 << 20)
/* Of text that is not read: English has about so many in a token. */
#define BYTES_OF_TOKEN 4

/* A model that was trained elsewhere goes on with text: what is known is asked, not read. */
static bool reads_corpus(const struct experiment *experiment) {
    return experiment->recipe.base == NULL || experiment->recipe.corpus.text.n == 0;
}

/* Every text of the corpus that pretraining reads, in a fixed order; the strings stay the corpus's.
 */
static char **list_texts(const struct experiment *experiment, size_t *n) {
    const struct corpus *corpus = &experiment->corpus;
    *n = 0;
    if (!reads_corpus(experiment)) return calloc(1, sizeof(char *));
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
    char **texts = list_texts(e, &n);
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
    return rehearsal_is_on() ? MNEME_OK : tokenizer_save(experiment->tokenizer, path.text, error);
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
    const struct text_manner manner = experiment_manner(e);
    TRY(experiment_add_prompt(e, fact, &tokens->prompts, error));
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
    return MNEME_OK;
}

/* The tokenizer, and what pretraining reads. */
static mneme_status open_pretraining(struct experiment *experiment, mneme_error *error) {
    size_t n;
    char **texts = list_texts(experiment, &n);
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

/* In a rehearsal: as many tokens as the text has at least, without reading it. */
static mneme_status rehearse_packed(struct experiment *e, mneme_error *error) {
    const struct key_strings *sources = &e->recipe.corpus.text;
    uint64_t bytes = 0;
    if (sources->n == 0) return MNEME_OK;
    TRY(text_files_bytes((const char *const *)sources->texts, sources->n, &bytes, error));
    e->text.n_tokens = (size_t)bytes / BYTES_OF_TOKEN + 2;
    e->text.sequence_length = packed_file_sequence_length(&e->recipe);
    e->text.file.length = e->text.n_tokens * sizeof *e->text.tokens;
    e->text.file.bytes = rehearsal_reserve(e->text.file.length);
    e->text.tokens = (const int32_t *)(const void *)e->text.file.bytes;
    return e->text.tokens == NULL ? error_set_memory(error, "the text's tokens") : MNEME_OK;
}

/* The recipe's text, and what is held out of it. */
static mneme_status open_packed(struct experiment *e, mneme_error *error) {
    TRY(check_sequence_length(&e->recipe, error));
    if (rehearsal_is_on()) return rehearse_packed(e, error);
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

mneme_status experiment_open_texts(struct experiment *experiment, mneme_error *error) {
    const struct corpus *corpus = &experiment->corpus;
    TRY(open_pretraining(experiment, error));
    TRY(model_texts_open(&experiment->texts, experiment->tokenizer, experiment->recipe.base,
                         error));
    TRY(token_texts_add(&experiment->skill_test, experiment->tokenizer, corpus->n_skill_test,
                        corpus->skill_test, experiment->recipe.model.max_seq_len, error));
    TRY(experiment_open_common(experiment, error));
    TRY(open_facts(experiment, corpus->known, corpus->n_known, &experiment->known, error));
    TRY(new_questions_choose(experiment, error));
    TRY(open_facts(experiment, corpus->fresh, corpus->n_fresh, &experiment->fresh, error));
    TRY(experiment_open_lessons(experiment, error));
    return open_packed(experiment, error);
}
