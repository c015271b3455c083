#define PCRE2_CODE_UNIT_WIDTH 8

#include "splitter/split_stage.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "splitter/byte_alphabet.h"
#include "splitter/characters.h"
#include "splitter/split_pattern.h"
#include "text/utf8.h"

static mneme_status refuse_pattern(const char *place, int code, size_t offset, mneme_error *error) {
    PCRE2_UCHAR message[200] = "unknown error";
    pcre2_get_error_message(code, message, sizeof message);
    return error_set(error, MNEME_BAD_INPUT, "%s: splitting pattern, at byte %zu: %s", place,
                     offset, (const char *)message);
}

/* The pattern as PCRE2 is to read it. */
static mneme_status spell(const struct split_rule *rule, const char *place, char **spelled,
                          mneme_error *error) {
    bool is_regex = rule->action == SPLIT_BY_REGEX;
    const char *other = is_regex ? split_pattern_ambiguity(rule->pattern) : NULL;
    if (other != NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: splitting pattern: %s: not supported, engines differ on it", place,
                         other);
    }
    *spelled = is_regex ? split_pattern_spell(rule->pattern) : strdup(rule->pattern);
    return *spelled == NULL ? error_set_memory(error, "the splitting pattern") : MNEME_OK;
}

static mneme_status compile(struct split_stage *stage, const char *place, mneme_error *error) {
    int code = 0;
    size_t offset = 0;
    uint32_t matches_empty = 0;
    bool is_regex = stage->rule.action == SPLIT_BY_REGEX;
    uint32_t options = PCRE2_UTF | (is_regex ? PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C : PCRE2_LITERAL);
    stage->code = pcre2_compile((PCRE2_SPTR)stage->pattern, PCRE2_ZERO_TERMINATED, options, &code,
                                &offset, NULL);
    if (stage->code == NULL) return refuse_pattern(place, code, offset, error);
    pcre2_pattern_info(stage->code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
    if (matches_empty != 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: splitting pattern: it can match the empty string", place);
    }
    /* Where it cannot be had, matching is slower and the same. */
    (void)pcre2_jit_compile(stage->code, PCRE2_JIT_COMPLETE);
    return MNEME_OK;
}

mneme_status split_stage_open(const struct split_rule *rule, const char *place,
                              struct split_stage *stage, mneme_error *error) {
    *stage = (struct split_stage){.rule = *rule};
    if (rule->pattern == NULL) return MNEME_OK;
    TRY(spell(rule, place, &stage->pattern, error));
    stage->rule.pattern = stage->pattern;
    bool is_pattern = rule->action == SPLIT_BY_REGEX || rule->action == SPLIT_BY_LITERAL;
    return is_pattern ? compile(stage, place, error) : MNEME_OK;
}

void split_stage_close(struct split_stage *stage) {
    pcre2_code_free(stage->code);
    free(stage->pattern);
    *stage = (struct split_stage){0};
}

/* Cuts one piece. */
struct cutter {
    const struct split_stage *stage;
    const struct split_piece *piece;
    split_stage_visit *visit;
    void *context;
    size_t start, end; /* what waits for the span after it */
    bool is_match;     /* whether its last span was a match */
};

static mneme_status visit_part(const struct cutter *cutter, size_t start, size_t end,
                               mneme_error *error) {
    if (start == end) return MNEME_OK;
    const struct split_piece part = {cutter->piece->text + start, end - start,
                                     cutter->piece->is_start && start == 0};
    return cutter->visit(cutter->context, &part, error);
}

/* Whether a span is one piece with what waits before it. */
static bool joins(const struct cutter *cutter, bool is_match) {
    if (cutter->start == cutter->end) return false;
    switch (cutter->stage->rule.behavior) {
        case SPLIT_CONTIGUOUS:
            return is_match == cutter->is_match;
        case SPLIT_MERGED_BEFORE:
            return is_match && !cutter->is_match;
        case SPLIT_MERGED_AFTER:
            return !is_match && cutter->is_match;
        default:
            return false;
    }
}

/* Takes the next match or gap. */
static mneme_status take_span(struct cutter *cutter, size_t start, size_t end, bool is_match,
                              mneme_error *error) {
    is_match = is_match != cutter->stage->rule.inverted;
    if (start == end) return MNEME_OK;
    if (!joins(cutter, is_match)) {
        TRY(visit_part(cutter, cutter->start, cutter->end, error));
        cutter->start = start;
    }
    bool is_left_out = is_match && cutter->stage->rule.behavior == SPLIT_REMOVED;
    cutter->end = is_left_out ? cutter->start : end;
    cutter->is_match = is_match;
    return MNEME_OK;
}

/* What is being searched: the piece, or one as long that PCRE2 knows the characters of. */
struct subject {
    const char *text;
    size_t length;
    pcre2_match_data *match;
};

/* Finds the next match at or after `from`; *start == length when there is none. */
static mneme_status next_match(const struct split_stage *stage, const struct subject *subject,
                               size_t from, size_t *start, size_t *end, mneme_error *error) {
    PCRE2_SPTR text = (PCRE2_SPTR)subject->text;
    const uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
    int code = pcre2_match(stage->code, text, subject->length, from, options, subject->match, NULL);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT) {
        code = pcre2_match(stage->code, text, subject->length, from, options | PCRE2_NO_JIT,
                           subject->match, NULL);
    }
    *start = *end = subject->length;
    if (code == PCRE2_ERROR_NOMATCH) return MNEME_OK;
    const size_t *bounds = pcre2_get_ovector_pointer(subject->match);
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

/* The next punctuation mark, in the same way. */
static void next_punctuation(const struct subject *subject, size_t from, size_t *start,
                             size_t *end) {
    *start = *end = subject->length;
    for (size_t at = from, n; at < subject->length; at += n) {
        uint32_t character;
        n = utf8_decode(subject->text + at, subject->length - at, &character);
        if (n > 0 && character_is_punctuation(character)) {
            *start = at;
            *end = at + n;
            return;
        }
        if (n == 0) n = 1;
    }
}

/* Puts older characters in place of those that PCRE2 may not know; makes a copy, in the scratch,
 * for the first of them. */
static mneme_status know_characters(struct subject *subject, struct split_stage_scratch scratch,
                                    mneme_error *error) {
    char *copy = NULL;
    for (size_t at = 0, n; at < subject->length; at += n) {
        uint32_t character;
        n = 1;
        /* The first that is replaced has three bytes. */
        if ((unsigned char)subject->text[at] < 0xe0) continue;
        n = utf8_decode(subject->text + at, subject->length - at, &character);
        uint32_t other = n == 0 ? 0 : character_stand_in(character);
        if (n == 0) n = 1;
        if (other == 0 || other == character) continue;
        if (copy == NULL) {
            TRY(memory_grow((void **)scratch.text, scratch.capacity, subject->length, 1, "a text",
                            error));
            copy = memcpy(*scratch.text, subject->text, subject->length);
        }
        utf8_encode(other, copy + at);
    }
    if (copy != NULL) subject->text = copy;
    return MNEME_OK;
}

static mneme_status cut(struct cutter *cutter, struct split_stage_scratch scratch,
                        mneme_error *error) {
    bool is_regex = cutter->stage->rule.action == SPLIT_BY_REGEX;
    struct subject subject = {cutter->piece->text, cutter->piece->length, NULL};
    if (is_regex) TRY(know_characters(&subject, scratch, error));
    if (*scratch.match == NULL) *scratch.match = pcre2_match_data_create(1, NULL);
    if (*scratch.match == NULL) return error_set_memory(error, "the splitting pattern");
    subject.match = *scratch.match;
    for (size_t position = 0; position < subject.length;) {
        size_t start, end;
        if (cutter->stage->rule.action == SPLIT_BY_PUNCTUATION) {
            next_punctuation(&subject, position, &start, &end);
        } else {
            TRY(next_match(cutter->stage, &subject, position, &start, &end, error));
        }
        TRY(take_span(cutter, position, start, false, error));
        TRY(take_span(cutter, start, end, true, error));
        position = end;
    }
    return visit_part(cutter, cutter->start, cutter->end, error);
}

/* A copy of the piece in the scratch, with `prefix` before it. */
static mneme_status prepend(const char *prefix, struct split_stage_scratch scratch,
                            struct split_piece *piece, mneme_error *error) {
    size_t width = strlen(prefix);
    TRY(memory_grow((void **)scratch.text, scratch.capacity, width + piece->length, 1, "a text",
                    error));
    memcpy(*scratch.text, prefix, width);
    memcpy(*scratch.text + width, piece->text, piece->length);
    piece->text = *scratch.text;
    piece->length += width;
    return MNEME_OK;
}

/* A copy of the piece in the scratch, with `other` for each blank. */
static mneme_status replace_blanks(const char *other, struct split_stage_scratch scratch,
                                   struct split_piece *piece, mneme_error *error) {
    size_t width = strlen(other), n = 0;
    for (size_t i = 0; i < piece->length; i++) n += piece->text[i] == ' ' ? width : 1;
    TRY(memory_grow((void **)scratch.text, scratch.capacity, n + 1, 1, "a text", error));
    char *end = *scratch.text;
    for (size_t i = 0; i < piece->length; i++) {
        if (piece->text[i] == ' ') {
            end = mempcpy(end, other, width);
        } else {
            *end++ = piece->text[i];
        }
    }
    piece->text = *scratch.text;
    piece->length = n;
    return MNEME_OK;
}

static mneme_status write_alphabet(struct split_stage_scratch scratch, struct split_piece *piece,
                                   mneme_error *error) {
    TRY(memory_grow((void **)scratch.text, scratch.capacity, 2 * piece->length + 1, 1, "a text",
                    error));
    piece->length = byte_alphabet_write_to(*scratch.text, piece->text, piece->length);
    piece->text = *scratch.text;
    return MNEME_OK;
}

/* Whether the rule puts its pattern before the piece. */
static bool needs_prefix(const struct split_rule *rule, const struct split_piece *piece) {
    size_t width = strlen(rule->pattern);
    if (rule->action == SPLIT_PREFIX_START && !piece->is_start) return false;
    return piece->length < width || memcmp(piece->text, rule->pattern, width) != 0;
}

mneme_status split_stage_run(const struct split_stage *stage, struct split_stage_scratch scratch,
                             const struct split_piece *piece, split_stage_visit *visit,
                             void *context, mneme_error *error) {
    const struct split_rule *rule = &stage->rule;
    struct split_piece changed = *piece;
    struct cutter cutter = {.stage = stage, .piece = piece, .visit = visit, .context = context};
    switch (rule->action) {
        case SPLIT_BY_REGEX:
        case SPLIT_BY_LITERAL:
        case SPLIT_BY_PUNCTUATION:
            return cut(&cutter, scratch, error);
        case SPLIT_PREFIX:
        case SPLIT_PREFIX_START:
            if (needs_prefix(rule, piece)) TRY(prepend(rule->pattern, scratch, &changed, error));
            break;
        case SPLIT_SPACES:
            TRY(replace_blanks(rule->pattern, scratch, &changed, error));
            break;
        case SPLIT_ALPHABET:
            TRY(write_alphabet(scratch, &changed, error));
            break;
    }
    return visit(context, &changed, error);
}
