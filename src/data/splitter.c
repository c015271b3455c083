#define PCRE2_CODE_UNIT_WIDTH 8

#include "data/splitter.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "data/split_pattern.h"
#include "data/utf8.h"

struct splitter {
    pcre2_code *code;
    pcre2_match_data *match;
    char *special;
    size_t special_length;
};

/* Who is told of the pieces. */
struct visitor {
    splitter_visit *visit;
    void *context;
};

static mneme_status refuse_pattern(const char *place, int code, size_t offset, mneme_error *error) {
    PCRE2_UCHAR message[200] = "unknown error";
    pcre2_get_error_message(code, message, sizeof message);
    return error_set(error, MNEME_BAD_INPUT, "%s: splitting pattern, at byte %zu: %s", place,
                     offset, (const char *)message);
}

static mneme_status compile(struct splitter *splitter, const char *pattern, const char *place,
                            mneme_error *error) {
    int code = 0;
    size_t offset = 0;
    char *spelled = split_pattern_spell_spaces(pattern);
    if (spelled == NULL) return error_set_memory(error, "the splitting pattern");
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
    splitter->code =
        pcre2_compile((PCRE2_SPTR)spelled, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
    free(spelled);
    if (splitter->code == NULL) return refuse_pattern(place, code, offset, error);
    uint32_t matches_empty = 0;
    pcre2_pattern_info(splitter->code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
    if (matches_empty != 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: splitting pattern: it can match the empty string", place);
    }
    splitter->match = pcre2_match_data_create(1, NULL);
    if (splitter->match == NULL) return error_set_memory(error, "the splitting pattern");
    return MNEME_OK;
}

mneme_status splitter_open(const char *pattern, const char *special, const char *place,
                           struct splitter **splitter, mneme_error *error) {
    mneme_status status;
    struct splitter *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, "the text splitter");
    opened->special = strdup(special);
    opened->special_length = strlen(special);
    if (opened->special == NULL) {
        status = error_set_memory(error, "the text splitter");
        goto fail;
    }
    status = compile(opened, pattern, place, error);
    if (status != MNEME_OK) goto fail;
    *splitter = opened;
    return MNEME_OK;
fail:
    splitter_close(opened);
    return status;
}

void splitter_close(struct splitter *splitter) {
    if (splitter == NULL) return;
    pcre2_match_data_free(splitter->match);
    pcre2_code_free(splitter->code);
    free(splitter->special);
    free(splitter);
}

/* Finds the next match at or after `from`; *start == length when there is none. */
static mneme_status next_match(struct splitter *splitter, const char *text, size_t length,
                               size_t from, size_t *start, size_t *end, mneme_error *error) {
    int code = pcre2_match(splitter->code, (PCRE2_SPTR)text, length, from,
                           PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, splitter->match, NULL);
    *start = *end = length;
    if (code == PCRE2_ERROR_NOMATCH) return MNEME_OK;
    const size_t *bounds = pcre2_get_ovector_pointer(splitter->match);
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

/* text is well-formed UTF-8. */
static mneme_status split_valid(struct splitter *splitter, const char *text, size_t length,
                                const struct visitor *to, mneme_error *error) {
    for (size_t position = 0; position < length;) {
        size_t start, end;
        mneme_status status = next_match(splitter, text, length, position, &start, &end, error);
        if (status == MNEME_OK && start > position) {
            status = to->visit(to->context, text + position, start - position, false, error);
        }
        if (status == MNEME_OK && end > start) {
            status = to->visit(to->context, text + start, end - start, false, error);
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
static mneme_status split_plain(struct splitter *splitter, const char *text, size_t length,
                                const struct visitor *to, mneme_error *error) {
    for (size_t position = 0; position < length;) {
        size_t valid = utf8_valid_length(text + position, length - position);
        mneme_status status = split_valid(splitter, text + position, valid, to, error);
        if (status != MNEME_OK) return status;
        position += valid;
        size_t invalid = invalid_length(text + position, length - position);
        if (invalid == 0) continue;
        status = to->visit(to->context, text + position, invalid, false, error);
        if (status != MNEME_OK) return status;
        position += invalid;
    }
    return MNEME_OK;
}

mneme_status splitter_run(struct splitter *splitter, const char *text, size_t length,
                          splitter_visit *visit, void *context, mneme_error *error) {
    const struct visitor to = {visit, context};
    while (length > 0) {
        const char *special = memmem(text, length, splitter->special, splitter->special_length);
        size_t before = special == NULL ? length : (size_t)(special - text);
        mneme_status status = split_plain(splitter, text, before, &to, error);
        if (status == MNEME_OK && special != NULL) {
            status = visit(context, special, splitter->special_length, true, error);
        }
        if (status != MNEME_OK) return status;
        size_t done = special == NULL ? before : before + splitter->special_length;
        text += done;
        length -= done;
    }
    return MNEME_OK;
}
