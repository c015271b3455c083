#include "exam/greedy_answers.h"

#include <stdlib.h>
#include <string.h>

#include "generate/generate.h"
#include "text/unicode.h"

/* Prompts side by side, at most, and the bytes that their keys and values may take. */
#define MAX_ROWS 64
#define CACHE_BYTES ((size_t)256 << 20)

/* What continues a group of prompts. */
struct answering {
    const struct subject *subject;
    const struct asked_questions *asked;
    size_t max_new, n_rows;
    struct generator generator;
    struct token_list stops;
    bool *last_tokens;          /* [vocab_size] those with a line's end */
    struct token_span *prompts; /* [n_rows] */
    int32_t *outputs;           /* [n_rows, max_new] */
    size_t *lengths;            /* [n_rows] */
};

static mneme_status find_stops(struct answering *a, mneme_error *error) {
    const struct subject *subject = a->subject;
    const struct text_ends *ends = &subject->ends;
    TRY(token_list_append(&a->stops, ends->stops, ends->n_stops, error));
    if (subject->style == NULL) return MNEME_OK;
    int32_t end;
    TRY(chat_style_end(subject->style, subject->tokenizer, &end, error));
    return token_list_append(&a->stops, &end, end != TOKEN_NONE, error);
}

/* Marks the tokens that have a line's end. */
static mneme_status find_line_ends(struct answering *a, mneme_error *error) {
    const struct tokenizer *tokenizer = a->subject->tokenizer;
    size_t n = a->subject->model->config.vocab_size;
    if (n > tokenizer_vocab_size(tokenizer)) n = tokenizer_vocab_size(tokenizer);
    for (size_t i = 0; i < n; i++) {
        const int32_t id = (int32_t)i;
        char *text;
        TRY(tokenizer_decode(tokenizer, &id, 1, &text, NULL, error));
        a->last_tokens[i] = strchr(text, '\n') != NULL;
        free(text);
    }
    return MNEME_OK;
}

static size_t longest_prompt(const struct asked_questions *asked) {
    size_t longest = 0;
    for (size_t i = 0; i < asked->n; i++) {
        size_t n = asked->starts[i + 1] - asked->starts[i];
        if (n > longest) longest = n;
    }
    return longest;
}

/* As many as the cache has room for. */
static size_t count_rows(const struct model_config *config, size_t positions) {
    size_t bytes = config->n_layers * config->n_kv_heads * model_head_dim(config) * 2 *
                   sizeof(float) * positions;
    size_t n = CACHE_BYTES / bytes;
    return n < 1 ? 1 : n > MAX_ROWS ? MAX_ROWS : n;
}

static mneme_status open_answering(struct answering *a, mneme_error *error) {
    const struct model *model = a->subject->model;
    size_t positions = longest_prompt(a->asked) + a->max_new;
    a->n_rows = count_rows(&model->config, positions);
    if (a->n_rows > a->asked->n) a->n_rows = a->asked->n;
    a->last_tokens = calloc(model->config.vocab_size + 1, sizeof *a->last_tokens);
    a->prompts = calloc(a->n_rows + 1, sizeof *a->prompts);
    a->outputs = calloc(a->n_rows * a->max_new + 1, sizeof *a->outputs);
    a->lengths = calloc(a->n_rows + 1, sizeof *a->lengths);
    if (a->last_tokens == NULL || a->prompts == NULL || a->outputs == NULL || a->lengths == NULL) {
        return error_set_memory(error, "answers");
    }
    TRY(find_stops(a, error));
    TRY(find_line_ends(a, error));
    TRY(generator_open(&a->generator, model, a->n_rows, positions, error));
    a->generator.last_tokens = a->last_tokens;
    return MNEME_OK;
}

static void close_answering(struct answering *a) {
    generator_close(&a->generator);
    token_list_free(&a->stops);
    free(a->last_tokens);
    free(a->prompts);
    free(a->outputs);
    free(a->lengths);
}

/* Whether a token is a special one: its text is it in a prompt, but not in data. */
static mneme_status is_special(struct tokenizer *tokenizer, int32_t id, bool *special,
                               mneme_error *error) {
    struct token_list prompt = {0}, data = {0};
    char *text = NULL;
    size_t length = 0;
    mneme_status status = tokenizer_decode(tokenizer, &id, 1, &text, &length, error);
    THEN(tokenizer_encode(tokenizer, text, length, &prompt, error));
    THEN(tokenizer_encode_data(tokenizer, text, length, &data, error));
    *special = status == MNEME_OK && prompt.n == 1 && prompt.ids[0] == id &&
               !(data.n == 1 && data.ids[0] == id);
    token_list_free(&prompt);
    token_list_free(&data);
    free(text);
    return status;
}

/* Leaves out tokens that are no text: special ones, and those that the tokenizer does not know. */
static mneme_status keep_text(struct tokenizer *tokenizer, int32_t *ids, size_t *n,
                              mneme_error *error) {
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        bool special = true;
        if ((size_t)ids[i] < tokenizer_vocab_size(tokenizer)) {
            TRY(is_special(tokenizer, ids[i], &special, error));
        }
        if (!special) ids[kept++] = ids[i];
    }
    *n = kept;
    return MNEME_OK;
}

/* The text of ids up to the line's end. */
static mneme_status make_text(struct tokenizer *tokenizer, int32_t *ids, size_t n, char **said,
                              mneme_error *error) {
    char *text;
    TRY(keep_text(tokenizer, ids, &n, error));
    TRY(tokenizer_decode(tokenizer, ids, n, &text, NULL, error));
    const char *start = text;
    size_t length = strcspn(text, "\n");
    unicode_trim(&start, &length);
    *said = unicode_repair(start, length); /* it may be cut within a character */
    free(text);
    return *said == NULL ? error_set_memory(error, "an answer") : MNEME_OK;
}

/* Asks the prompts [first, first + n). */
static mneme_status answer_group(struct answering *a, size_t first, size_t n, char **said,
                                 struct eval_progress *progress, mneme_error *error) {
    const struct asked_questions *asked = a->asked;
    const struct token_span stops = {a->stops.ids, a->stops.n};
    size_t n_tokens = 0;
    for (size_t i = 0; i < n; i++) {
        size_t start = asked->starts[first + i], end = asked->starts[first + i + 1];
        a->prompts[i] = (struct token_span){asked->tokens.ids + start, end - start};
    }
    TRY(generate_greedy(&a->generator, n, a->prompts, a->max_new, stops, a->outputs, a->lengths,
                        error));
    for (size_t i = 0; i < n; i++) {
        TRY(make_text(a->subject->tokenizer, a->outputs + i * a->max_new, a->lengths[i],
                      &said[first + i], error));
        n_tokens += a->prompts[i].n + a->lengths[i];
    }
    eval_progress_add(progress, n, n_tokens);
    return MNEME_OK;
}

mneme_status greedy_answers(const struct subject *subject, const struct asked_questions *asked,
                            size_t max_new, struct eval_progress *progress, char **said,
                            mneme_error *error) {
    struct answering a = {.subject = subject, .asked = asked, .max_new = max_new};
    mneme_status status = open_answering(&a, error);
    eval_progress_begin(progress, "answers", asked->file, "questions", asked->n);
    for (size_t first = 0; status == MNEME_OK && first < asked->n; first += a.n_rows) {
        size_t n = asked->n - first < a.n_rows ? asked->n - first : a.n_rows;
        status = answer_group(&a, first, n, said, progress, error);
    }
    close_answering(&a);
    return status;
}
