#define PCRE2_CODE_UNIT_WIDTH 8

#include "splitter/normalizer.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/memory.h"
#include "splitter/byte_alphabet.h"
#include "splitter/characters.h"
#include "splitter/split_pattern.h"
#include "text/utf8.h"

/* Sequences within Sequences. */
#define MAX_DEPTH 16

/* A text that grows. */
struct buffer {
    char *bytes;
    size_t length, capacity;
};

struct step {
    mneme_status (*run)(const struct step *step, const char *text, size_t length,
                        struct buffer *out, mneme_error *error);
    int form;         /* of a normal form: utf8proc's options */
    bool left, right; /* of Strip */
    char *pattern;    /* of Replace by a string */
    pcre2_code *code; /* of Replace by a regular expression */
    char *content;    /* of Replace and Prepend */
};

struct normalizer {
    struct step *steps; /* [n] */
    size_t n, capacity;
};

static mneme_status append(struct buffer *out, const char *bytes, size_t length,
                           mneme_error *error) {
    TRY(memory_grow((void **)&out->bytes, &out->capacity, out->length + length + 1, 1,
                    "a normalised text", error));
    if (length > 0) memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
    out->bytes[out->length] = '\0';
    return MNEME_OK;
}

static mneme_status append_character(struct buffer *out, uint32_t character, mneme_error *error) {
    char bytes[4];
    return append(out, bytes, utf8_encode(character, bytes), error);
}

/* ASCII is its own normal form. */
static bool is_ascii(const char *text, size_t length) {
    unsigned char bits = 0;
    for (size_t i = 0; i < length; i++) bits |= (unsigned char)text[i];
    return bits < 0x80;
}

/* The normal form of well-formed text. */
static mneme_status append_form(const struct step *step, const char *text, size_t length,
                                struct buffer *out, mneme_error *error) {
    if (is_ascii(text, length)) return append(out, text, length, error);
    utf8proc_uint8_t *normal = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)length,
                                      &normal, (utf8proc_option_t)step->form);
    mneme_status status =
        n < 0 ? error_set(error, MNEME_FAILED, "normalizing a text: %s", utf8proc_errmsg(n))
              : append(out, (const char *)normal, (size_t)n, error);
    free(normal);
    return status;
}

/* The length of the text before what has no normal form: a character that the package does not
 * know, or what is none. *skipped becomes the length of that. */
static size_t formed_length(const char *text, size_t length, size_t *skipped) {
    size_t n = 0;
    for (*skipped = 0; n < length && *skipped == 0;) {
        uint32_t character;
        size_t width = utf8_decode(text + n, length - n, &character);
        if (width == 0) {
            *skipped = 1;
        } else if (character_is_unknown_to_forms(character)) {
            *skipped = width;
        } else {
            n += width;
        }
    }
    return n;
}

static mneme_status run_form(const struct step *step, const char *text, size_t length,
                             struct buffer *out, mneme_error *error) {
    while (length > 0) {
        size_t skipped, formed = formed_length(text, length, &skipped);
        if (formed > 0) TRY(append_form(step, text, formed, out, error));
        TRY(append(out, text + formed, skipped, error));
        text += formed + skipped;
        length -= formed + skipped;
    }
    return MNEME_OK;
}

/* Appends what `change` makes of each character; what is no character stays. */
static mneme_status each_character(const char *text, size_t length,
                                   mneme_status (*change)(struct buffer *out, uint32_t character,
                                                          mneme_error *error),
                                   struct buffer *out, mneme_error *error) {
    while (length > 0) {
        uint32_t character;
        size_t n = utf8_decode(text, length, &character);
        TRY(n == 0 ? append(out, text, 1, error) : change(out, character, error));
        n += n == 0;
        text += n;
        length -= n;
    }
    return MNEME_OK;
}

/* Alone among the characters, U+0130 has a lowercase of two, whatever stands around it. */
static mneme_status lower(struct buffer *out, uint32_t character, mneme_error *error) {
    if (character == 0x130) return append(out, "i\xcc\x87", 3, error);
    return append_character(out, character_lower(character), error);
}

static mneme_status run_lowercase(const struct step *step, const char *text, size_t length,
                                  struct buffer *out, mneme_error *error) {
    (void)step;
    return each_character(text, length, lower, out, error);
}

static mneme_status drop_accent(struct buffer *out, uint32_t character, mneme_error *error) {
    return character_is_mark(character) ? MNEME_OK : append_character(out, character, error);
}

static mneme_status run_strip_accents(const struct step *step, const char *text, size_t length,
                                      struct buffer *out, mneme_error *error) {
    (void)step;
    return each_character(text, length, drop_accent, out, error);
}

static mneme_status run_byte_level(const struct step *step, const char *text, size_t length,
                                   struct buffer *out, mneme_error *error) {
    (void)step;
    TRY(memory_grow((void **)&out->bytes, &out->capacity, out->length + 2 * length + 1, 1,
                    "a normalised text", error));
    out->length += byte_alphabet_write_to(out->bytes + out->length, text, length);
    out->bytes[out->length] = '\0';
    return MNEME_OK;
}

static mneme_status run_strip(const struct step *step, const char *text, size_t length,
                              struct buffer *out, mneme_error *error) {
    if (step->right) length = length_without_trailing_spaces(text, length);
    size_t start = step->left ? leading_spaces(text, length) : 0;
    return append(out, text + start, length - start, error);
}

static mneme_status run_prepend(const struct step *step, const char *text, size_t length,
                                struct buffer *out, mneme_error *error) {
    if (length == 0) return MNEME_OK;
    TRY(append(out, step->content, strlen(step->content), error));
    return append(out, text, length, error);
}

static mneme_status run_replace_string(const struct step *step, const char *text, size_t length,
                                       struct buffer *out, mneme_error *error) {
    size_t width = strlen(step->pattern);
    const char *found;
    while ((found = memmem(text, length, step->pattern, width)) != NULL) {
        TRY(append(out, text, (size_t)(found - text), error));
        TRY(append(out, step->content, strlen(step->content), error));
        length -= (size_t)(found - text) + width;
        text = found + width;
    }
    return append(out, text, length, error);
}

/* Replaces the matches that `match` has room for, one after the other. */
static mneme_status replace_matches(const struct step *step, const char *text, size_t length,
                                    pcre2_match_data *match, struct buffer *out,
                                    mneme_error *error) {
    const size_t *bounds = pcre2_get_ovector_pointer(match);
    size_t done = 0;
    while (pcre2_match(step->code, (PCRE2_SPTR)text, length, done, PCRE2_NOTEMPTY, match, NULL) >=
               0 &&
           bounds[0] >= done && bounds[1] > bounds[0]) {
        TRY(append(out, text + done, bounds[0] - done, error));
        TRY(append(out, step->content, strlen(step->content), error));
        done = bounds[1];
    }
    return append(out, text + done, length - done, error);
}

static mneme_status run_replace_regex(const struct step *step, const char *text, size_t length,
                                      struct buffer *out, mneme_error *error) {
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    if (match == NULL) return error_set_memory(error, "a normalised text");
    mneme_status status = replace_matches(step, text, length, match, out, error);
    pcre2_match_data_free(match);
    return status;
}

static mneme_status refuse(const char *path, const char *cause, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: normalizer: %s", path, cause);
}

static mneme_status compile(const char *regex, const char *path, pcre2_code **code,
                            mneme_error *error) {
    int cause = 0;
    size_t offset = 0;
    const char *other = split_pattern_ambiguity(regex);
    if (other != NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: normalizer: Replace: %s: not supported, engines differ on it", path,
                         other);
    }
    char *spelled = split_pattern_spell(regex);
    if (spelled == NULL) return error_set_memory(error, path);
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    *code =
        pcre2_compile((PCRE2_SPTR)spelled, PCRE2_ZERO_TERMINATED, options, &cause, &offset, NULL);
    free(spelled);
    return *code != NULL ? MNEME_OK : refuse(path, "Replace: no regular expression", error);
}

static mneme_status copy_string(const json_t *value, const char *path, char **copy,
                                mneme_error *error) {
    if (!json_is_string(value)) return refuse(path, "a text is missing", error);
    *copy = strdup(json_string_value(value));
    return *copy == NULL ? error_set_memory(error, path) : MNEME_OK;
}

static mneme_status read_replace(const json_t *value, const char *path, struct step *step,
                                 mneme_error *error) {
    const json_t *pattern = json_object_get(value, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    TRY(copy_string(json_object_get(value, "content"), path, &step->content, error));
    if (regex != NULL) {
        step->run = run_replace_regex;
        return compile(regex, path, &step->code, error);
    }
    step->run = run_replace_string;
    TRY(copy_string(json_object_get(pattern, "String"), path, &step->pattern, error));
    return step->pattern[0] == '\0' ? refuse(path, "Replace: an empty pattern", error) : MNEME_OK;
}

static mneme_status read_prepend(const json_t *value, const char *path, struct step *step,
                                 mneme_error *error) {
    step->run = run_prepend;
    return copy_string(json_object_get(value, "prepend"), path, &step->content, error);
}

static mneme_status read_strip(const json_t *value, const char *path, struct step *step,
                               mneme_error *error) {
    (void)path, (void)error;
    step->run = run_strip;
    step->left = !json_is_false(json_object_get(value, "strip_left"));
    step->right = !json_is_false(json_object_get(value, "strip_right"));
    return MNEME_OK;
}

/* The kinds by their `type`: those that a function alone makes, and those with members. */
static const struct kind {
    const char *type;
    struct step step;
    mneme_status (*read)(const json_t *value, const char *path, struct step *step,
                         mneme_error *error);
} kinds[] = {
    {"NFC", {.run = run_form, .form = UTF8PROC_STABLE | UTF8PROC_COMPOSE}, NULL},
    {"NFD", {.run = run_form, .form = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE}, NULL},
    {"NFKC", {.run = run_form, .form = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT}, NULL},
    {"NFKD",
     {.run = run_form, .form = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT},
     NULL},
    {"Lowercase", {.run = run_lowercase}, NULL},
    {"ByteLevel", {.run = run_byte_level}, NULL},
    {"StripAccents", {.run = run_strip_accents}, NULL},
    {"Strip", {0}, read_strip},
    {"Replace", {0}, read_replace},
    {"Prepend", {0}, read_prepend},
};

static const struct kind *find_kind(const char *type) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, type) == 0) return &kinds[i];
    }
    return NULL;
}

/* Appends the step or, of a Sequence, steps that the value says. */
static mneme_status add(struct normalizer *normalizer, const json_t *value, size_t depth,
                        const char *path, mneme_error *error) {
    const char *type = json_string_value(json_object_get(value, "type"));
    const json_t *parts = json_object_get(value, "normalizers");
    if (type == NULL || depth == MAX_DEPTH) return refuse(path, "no `type`", error);
    if (strcmp(type, "Sequence") == 0) {
        if (!json_is_array(parts)) return refuse(path, "Sequence: no `normalizers`", error);
        for (size_t i = 0; i < json_array_size(parts); i++) {
            TRY(add(normalizer, json_array_get(parts, i), depth + 1, path, error));
        }
        return MNEME_OK;
    }
    const struct kind *kind = find_kind(type);
    if (kind == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: normalizer: %.64s: not supported", path,
                         type);
    }
    TRY(memory_grow((void **)&normalizer->steps, &normalizer->capacity, normalizer->n + 1,
                    sizeof *normalizer->steps, path, error));
    struct step *step = &normalizer->steps[normalizer->n++];
    *step = kind->step;
    return kind->read == NULL ? MNEME_OK : kind->read(value, path, step, error);
}

mneme_status normalizer_open(const json_t *value, const char *path, struct normalizer **normalizer,
                             mneme_error *error) {
    *normalizer = NULL;
    if (value == NULL || json_is_null(value)) return MNEME_OK;
    struct normalizer *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, path);
    mneme_status status = add(opened, value, 0, path, error);
    if (status != MNEME_OK || opened->n == 0) {
        normalizer_close(opened);
    } else {
        *normalizer = opened;
    }
    return status;
}

void normalizer_close(struct normalizer *normalizer) {
    if (normalizer == NULL) return;
    for (size_t i = 0; i < normalizer->n; i++) {
        free(normalizer->steps[i].pattern);
        free(normalizer->steps[i].content);
        pcre2_code_free(normalizer->steps[i].code);
    }
    free(normalizer->steps);
    free(normalizer);
}

mneme_status normalizer_run(const struct normalizer *normalizer, const char *text, size_t length,
                            char **normal, size_t *normal_length, mneme_error *error) {
    struct buffer buffers[2] = {{0}};
    struct buffer *out = &buffers[0];
    mneme_status status = append(out, text, length, error);
    for (size_t i = 0; i < normalizer->n && status == MNEME_OK; i++) {
        const struct buffer *in = out;
        out = &buffers[(i + 1) % 2];
        out->length = 0;
        status = append(out, "", 0, error);
        THEN(normalizer->steps[i].run(&normalizer->steps[i], in->bytes, in->length, out, error));
    }
    if (status == MNEME_OK) {
        *normal = out->bytes;
        *normal_length = out->length;
        out->bytes = NULL;
    }
    free(buffers[0].bytes);
    free(buffers[1].bytes);
    return status;
}
