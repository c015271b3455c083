#define PCRE2_CODE_UNIT_WIDTH 8

#include "splitter/splitter.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "splitter/normalizer.h"
#include "splitter/split_stage.h"
#include "text/utf8.h"

struct splitter {
    struct split_stage stages[SPLITTER_MAX_RULES];
    size_t n_stages;
    struct added_tokens added[2];  /* those looked for first, and the late ones */
    struct normalizer *normalizer; /* NULL: none */
};

mneme_status splitter_normalize(const struct splitter *splitter, const char *text, char **normal,
                                size_t *length, mneme_error *error) {
    if (splitter->normalizer != NULL) {
        return normalizer_run(splitter->normalizer, text, strlen(text), normal, length, error);
    }
    *normal = strdup(text);
    *length = strlen(text);
    return *normal == NULL ? error_set_memory(error, "added tokens") : MNEME_OK;
}

/* Adds a late token as it stands in normalised texts; one that nothing is left of is never found.
 */
static mneme_status add_late(struct splitter *splitter, const struct added_token *token,
                             mneme_error *error) {
    struct added_token normal = *token;
    size_t length;
    TRY(splitter_normalize(splitter, token->text, &normal.text, &length, error));
    mneme_status status =
        length == 0 ? MNEME_OK : added_tokens_add(&splitter->added[1], &normal, error);
    free(normal.text);
    return status;
}

static mneme_status add_tokens(struct splitter *splitter, const struct split_plan *plan,
                               mneme_error *error) {
    for (size_t i = 0; i < plan->n_added; i++) {
        const struct split_added *added = &plan->added[i];
        TRY(added->late ? add_late(splitter, &added->token, error)
                        : added_tokens_add(&splitter->added[0], &added->token, error));
    }
    added_tokens_sort(&splitter->added[0]);
    added_tokens_sort(&splitter->added[1]);
    return MNEME_OK;
}

mneme_status splitter_open(const struct split_plan *plan, const char *place,
                           struct splitter **splitter, mneme_error *error) {
    struct splitter *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, "the text splitter");
    mneme_status status = normalizer_open(plan->normalizer, place, &opened->normalizer, error);
    THEN(add_tokens(opened, plan, error));
    for (size_t i = 0; i < plan->n_rules && status == MNEME_OK; i++) {
        status =
            split_stage_open(&plan->rules[i], place, &opened->stages[opened->n_stages++], error);
    }
    if (status == MNEME_OK) {
        *splitter = opened;
    } else {
        splitter_close(opened);
    }
    return status;
}

void splitter_close(struct splitter *splitter) {
    if (splitter == NULL) return;
    for (size_t i = 0; i < splitter->n_stages; i++) split_stage_close(&splitter->stages[i]);
    added_tokens_free(&splitter->added[0]);
    added_tokens_free(&splitter->added[1]);
    normalizer_close(splitter->normalizer);
    free(splitter);
}

void split_scratch_free(struct split_scratch *scratch) {
    for (size_t i = 0; i < SPLITTER_MAX_RULES; i++) {
        pcre2_match_data_free(scratch->matches[i]);
        free(scratch->texts[i]);
    }
    *scratch = (struct split_scratch){0};
}

/* A text being split, and the function that receives its pieces. */
struct visitor {
    const struct splitter *splitter;
    struct split_scratch *scratch;
    enum split_source source;
    splitter_visit *visit;
    void *context;
    size_t stage; /* the next to work on a piece */
};

/* Gives a piece to the stages from the visitor's on. */
static mneme_status visit_piece(void *context, const struct split_piece *piece,
                                mneme_error *error) {
    const struct visitor *to = context;
    size_t stage = to->stage;
    if (stage == to->splitter->n_stages) {
        return to->visit(to->context, piece->text, piece->length, SPLITTER_NOT_ADDED, error);
    }
    struct visitor next = *to;
    next.stage++;
    const struct split_stage_scratch scratch = {
        &to->scratch->matches[stage], &to->scratch->texts[stage], &to->scratch->capacities[stage]};
    return split_stage_run(&to->splitter->stages[stage], scratch, piece, visit_piece, &next, error);
}

/* Length of the run of bytes at text that begin no well-formed character. */
static size_t invalid_length(const char *text, size_t length) {
    size_t n = 0;
    while (n < length && utf8_decode(text + n, length - n, NULL) == 0) n++;
    return n;
}

/* The piece holds no added token. */
static mneme_status split_plain(struct visitor *to, const struct split_piece *piece,
                                mneme_error *error) {
    for (size_t position = 0; position < piece->length;) {
        const char *text = piece->text + position;
        size_t rest = piece->length - position, valid = utf8_valid_length(text, rest);
        const struct split_piece part = {text, valid, piece->is_start && position == 0};
        if (valid > 0) TRY(visit_piece(to, &part, error));
        position += valid;
        size_t invalid = invalid_length(text + valid, rest - valid);
        if (invalid == 0) continue;
        TRY(to->visit(to->context, text + valid, invalid, SPLITTER_NOT_ADDED, error));
        position += invalid;
    }
    return MNEME_OK;
}

static mneme_status split_rest(struct visitor *to, size_t pass, const struct split_piece *piece,
                               mneme_error *error);

/* Cuts the added tokens out: those of added[pass], and in what they leave those after. */
static mneme_status split_added(struct visitor *to, size_t pass, const struct split_piece *piece,
                                mneme_error *error) {
    struct added_search search = {.set = &to->splitter->added[pass],
                                  .text = piece->text,
                                  .length = piece->length,
                                  .passes_special = to->source == SPLIT_DATA};
    struct added_match match = {piece->length, piece->length, SPLITTER_NOT_ADDED};
    for (bool found = true; found;) {
        size_t done = search.done;
        found = added_tokens_next(&search, &match);
        size_t end = found ? match.start : piece->length;
        const struct split_piece rest = {piece->text + done, end > done ? end - done : 0,
                                         piece->is_start && done == 0};
        if (rest.length > 0) TRY(split_rest(to, pass, &rest, error));
        if (!found) break;
        TRY(to->visit(to->context, piece->text + match.start, match.end - match.start, match.id,
                      error));
    }
    return MNEME_OK;
}

/* What is left when the tokens of added[pass] are cut out: after the first pass it is normalised,
 * after the second it is plain. */
static mneme_status split_rest(struct visitor *to, size_t pass, const struct split_piece *piece,
                               mneme_error *error) {
    struct split_piece changed = *piece;
    char *normal;
    if (pass == 1) return split_plain(to, piece, error);
    if (to->splitter->normalizer == NULL) return split_added(to, 1, piece, error);
    TRY(normalizer_run(to->splitter->normalizer, piece->text, piece->length, &normal,
                       &changed.length, error));
    changed.text = normal;
    mneme_status status = split_added(to, 1, &changed, error);
    free(normal);
    return status;
}

mneme_status splitter_run(const struct splitter *splitter, struct split_scratch *scratch,
                          enum split_source source, const char *text, size_t length,
                          splitter_visit *visit, void *context, mneme_error *error) {
    struct visitor to = {splitter, scratch, source, visit, context, 0};
    const struct split_piece whole = {text, length, true};
    return split_added(&to, 0, &whole, error);
}
