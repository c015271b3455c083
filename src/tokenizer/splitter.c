#define PCRE2_CODE_UNIT_WIDTH 8

#include "tokenizer/splitter.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/special_tokens.h"
#include "tokenizer/split_pattern.h"

struct stage {
    pcre2_code *code;
    pcre2_match_data *match;
    enum split_kept kept;
};

struct splitter {
    struct stage stages[SPLITTER_MAX_RULES];
    size_t n_stages;
    /* By source: those looked for first, and the late ones. */
    struct special_tokens specials[SPLIT_DATA + 1][2];
    struct normalizer *normalizer; /* NULL: none */
};

/* A text being split, and the function that receives its pieces. */
struct visitor {
    struct splitter *splitter;
    const struct special_tokens *specials; /* [2] of the source */
    splitter_visit *visit;
    void *context;
};

static mneme_status refuse_pattern(const char *place, int code, size_t offset, mneme_error *error) {
    PCRE2_UCHAR message[200] = "unknown error";
    pcre2_get_error_message(code, message, sizeof message);
    return error_set(error, MNEME_BAD_INPUT, "%s: splitting pattern, at byte %zu: %s", place,
                     offset, (const char *)message);
}

/* The pattern as PCRE2 is to read it; the caller frees it. */
static char *spell(const struct split_rule *rule) {
    return rule->literal ? strdup(rule->pattern) : split_pattern_spell_spaces(rule->pattern);
}

static mneme_status compile(const struct split_rule *rule, const char *place, struct stage *stage,
                            mneme_error *error) {
    int code = 0;
    size_t offset = 0;
    const char *other = rule->literal ? NULL : split_pattern_ambiguity(rule->pattern);
    if (other != NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: splitting pattern: %s: not supported, engines differ on it", place,
                         other);
    }
    char *spelled = spell(rule);
    if (spelled == NULL) return error_set_memory(error, "the splitting pattern");
    uint32_t options =
        PCRE2_UTF | (rule->literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C);
    stage->kept = rule->kept;
    stage->code =
        pcre2_compile((PCRE2_SPTR)spelled, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
    free(spelled);
    if (stage->code == NULL) return refuse_pattern(place, code, offset, error);
    uint32_t matches_empty = 0;
    pcre2_pattern_info(stage->code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
    if (matches_empty != 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: splitting pattern: it can match the empty string", place);
    }
    stage->match = pcre2_match_data_create(1, NULL);
    if (stage->match == NULL) return error_set_memory(error, "the splitting pattern");
    return MNEME_OK;
}

/* Adds a late special text as it stands in normalised texts; one that nothing is left of is never
 * found. */
static mneme_status add_late(const struct splitter *splitter, const struct split_special *special,
                             struct special_tokens *specials, mneme_error *error) {
    char *text;
    size_t length;
    if (splitter->normalizer == NULL) {
        return special_tokens_add(specials, special->text, special->id, error);
    }
    TRY(normalizer_run(splitter->normalizer, special->text, strlen(special->text), &text, &length,
                       error));
    mneme_status status =
        length == 0 ? MNEME_OK : special_tokens_add(specials, text, special->id, error);
    free(text);
    return status;
}

/* Those of one source. */
static mneme_status add_specials(struct splitter *splitter, const struct split_plan *plan,
                                 enum split_source source, mneme_error *error) {
    struct special_tokens *specials = splitter->specials[source];
    for (size_t i = 0; i < plan->n_specials; i++) {
        const struct split_special *special = &plan->specials[i];
        if (source == SPLIT_DATA && !special->is_text) continue;
        TRY(special->late ? add_late(splitter, special, &specials[1], error)
                          : special_tokens_add(&specials[0], special->text, special->id, error));
    }
    special_tokens_sort(&specials[0]);
    special_tokens_sort(&specials[1]);
    return MNEME_OK;
}

mneme_status splitter_open(const struct split_plan *plan, const char *place,
                           struct splitter **splitter, mneme_error *error) {
    struct splitter *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, "the text splitter");
    mneme_status status = normalizer_open(plan->normalizer, place, &opened->normalizer, error);
    THEN(add_specials(opened, plan, SPLIT_PROMPT, error));
    THEN(add_specials(opened, plan, SPLIT_DATA, error));
    for (size_t i = 0; i < plan->n_rules && status == MNEME_OK; i++) {
        status = compile(&plan->rules[i], place, &opened->stages[opened->n_stages++], error);
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
    for (size_t i = 0; i < splitter->n_stages; i++) {
        pcre2_match_data_free(splitter->stages[i].match);
        pcre2_code_free(splitter->stages[i].code);
    }
    for (enum split_source source = SPLIT_PROMPT; source <= SPLIT_DATA; source++) {
        special_tokens_free(&splitter->specials[source][0]);
        special_tokens_free(&splitter->specials[source][1]);
    }
    normalizer_close(splitter->normalizer);
    free(splitter);
}

/* Finds the next match at or after `from`; *start == length when there is none. */
static mneme_status next_match(const struct stage *stage, const char *text, size_t length,
                               size_t from, size_t *start, size_t *end, mneme_error *error) {
    int code = pcre2_match(stage->code, (PCRE2_SPTR)text, length, from,
                           PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, stage->match, NULL);
    *start = *end = length;
    if (code == PCRE2_ERROR_NOMATCH) return MNEME_OK;
    const size_t *bounds = pcre2_get_ovector_pointer(stage->match);
    if (code < 0) {
        PCRE2_UCHAR message[200] = "unknown error";
        pcre2_get_error_message(code, message, sizeof message);
        return error_set(error, MNEME_BAD_INPUT, "splitting pattern: %s", (const char *)message);
    }
    /* \K can move a match's start where no piece can begin. */
    if (bounds[0] < from || bounds[1] <= bounds[0]) {
        return error_set(error, MNEME_BAD_INPUT, "splitting pattern: a match without characters");
    }
    *start = bounds[0];
    *end = bounds[1];
    return MNEME_OK;
}

/* Cuts text, which is well-formed UTF-8, by the stages from this one on. */
static mneme_status split_valid(const struct visitor *to, size_t stage, const char *text,
                                size_t length, mneme_error *error) {
    if (length == 0) return MNEME_OK;
    if (stage == to->splitter->n_stages) {
        return to->visit(to->context, text, length, SPLITTER_NOT_SPECIAL, error);
    }
    const struct stage *here = &to->splitter->stages[stage];
    for (size_t position = 0; position < length;) {
        size_t start, end;
        mneme_status status = next_match(here, text, length, position, &start, &end, error);
        if (status == MNEME_OK && here->kept != SPLIT_MATCHES) {
            status = split_valid(to, stage + 1, text + position, start - position, error);
        }
        if (status == MNEME_OK && here->kept != SPLIT_GAPS) {
            status = split_valid(to, stage + 1, text + start, end - start, error);
        }
        if (status != MNEME_OK) return status;
        position = end;
    }
    return MNEME_OK;
}

/* Length of the run of bytes at text that begin no well-formed character. */
static size_t invalid_length(const char *text, size_t length) {
    size_t n = 0;
    while (n < length && utf8_decode(text + n, length - n, NULL) == 0) n++;
    return n;
}

/* text holds no special text. */
static mneme_status split_plain(const struct visitor *to, const char *text, size_t length,
                                mneme_error *error) {
    for (size_t position = 0; position < length;) {
        size_t valid = utf8_valid_length(text + position, length - position);
        TRY(split_valid(to, 0, text + position, valid, error));
        position += valid;
        size_t invalid = invalid_length(text + position, length - position);
        if (invalid == 0) continue;
        TRY(to->visit(to->context, text + position, invalid, SPLITTER_NOT_SPECIAL, error));
        position += invalid;
    }
    return MNEME_OK;
}

static mneme_status split_rest(const struct visitor *to, size_t pass, const char *text,
                               size_t length, mneme_error *error);

/* Cuts the special texts out: those of specials[pass], and in what they leave those after. */
static mneme_status split_specials(const struct visitor *to, size_t pass, const char *text,
                                   size_t length, mneme_error *error) {
    while (length > 0) {
        size_t before = length;
        const struct special_token *special =
            special_tokens_next(&to->specials[pass], text, length, &before);
        mneme_status status = split_rest(to, pass, text, before, error);
        if (status != MNEME_OK || special == NULL) return status;
        TRY(to->visit(to->context, text + before, special->length, special->id, error));
        text += before + special->length;
        length -= before + special->length;
    }
    return MNEME_OK;
}

/* What is left when the texts of specials[pass] are cut out: after the first pass it is normalised,
 * after the second it is plain. */
static mneme_status split_rest(const struct visitor *to, size_t pass, const char *text,
                               size_t length, mneme_error *error) {
    char *normal;
    if (pass == 1) return split_plain(to, text, length, error);
    if (to->splitter->normalizer == NULL) return split_specials(to, 1, text, length, error);
    TRY(normalizer_run(to->splitter->normalizer, text, length, &normal, &length, error));
    mneme_status status = split_specials(to, 1, normal, length, error);
    free(normal);
    return status;
}

mneme_status splitter_run(struct splitter *splitter, enum split_source source, const char *text,
                          size_t length, splitter_visit *visit, void *context, mneme_error *error) {
    const struct visitor to = {splitter, splitter->specials[source], visit, context};
    return split_specials(&to, 0, text, length, error);
}
