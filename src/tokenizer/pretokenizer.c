/* A tokenizer.json's `pre_tokenizer` as rules of the splitter. */

#include <jansson.h>
#include <string.h>

#include "splitter/split_pattern.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_parts.h"

/* Sequences within Sequences. */
#define MAX_DEPTH 8

/* GPT-2's pattern, which ByteLevel splits by where its use_regex is on. */
#define BYTE_LEVEL_PATTERN \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
/* Rust's \w, in a class. */
#define RUST_WORD SPLIT_PATTERN_LETTERS "\\x{200c}\\x{200d}"

/* A `pre_tokenizer` that is being read. */
struct reading {
    const char *path;
    struct split_plan *plan;
    mneme_error *error;
};

static mneme_status refuse(const struct reading *reading, const char *type, const char *cause) {
    return error_set(reading->error, MNEME_BAD_INPUT, "%s: pre_tokenizer: %.64s%s%s", reading->path,
                     type, type[0] == '\0' ? "" : ": ", cause);
}

static mneme_status add_rule(const struct reading *reading, struct split_rule rule) {
    struct split_plan *plan = reading->plan;
    if (plan->n_rules == SPLITTER_MAX_RULES) {
        return refuse(reading, "", "more parts than are supported");
    }
    plan->rules[plan->n_rules++] = rule;
    return MNEME_OK;
}

/* A rule that cuts by a regular expression. */
static mneme_status add_split(const struct reading *reading, const char *regex,
                              enum split_behavior behavior) {
    return add_rule(reading, (struct split_rule){SPLIT_BY_REGEX, regex, behavior, false});
}

/* *behavior stays where there is none, unless one is needed. */
static mneme_status read_behavior(const struct reading *reading, const json_t *part,
                                  enum split_behavior *behavior) {
    static const char *const names[] = {[SPLIT_ISOLATED] = "Isolated",
                                        [SPLIT_REMOVED] = "Removed",
                                        [SPLIT_CONTIGUOUS] = "Contiguous",
                                        [SPLIT_MERGED_BEFORE] = "MergedWithPrevious",
                                        [SPLIT_MERGED_AFTER] = "MergedWithNext"};
    const char *name = json_string_value(json_object_get(part, "behavior"));
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *behavior = (enum split_behavior)i;
        return MNEME_OK;
    }
    return refuse(reading, "", "behavior: not one that is known");
}

static mneme_status read_split(const struct reading *reading, const json_t *split) {
    const json_t *pattern = json_object_get(split, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const char *string = json_string_value(json_object_get(pattern, "String"));
    struct split_rule rule = {.inverted = json_is_true(json_object_get(split, "invert"))};
    TRY(read_behavior(reading, split, &rule.behavior));
    rule.action = regex != NULL ? SPLIT_BY_REGEX : SPLIT_BY_LITERAL;
    rule.pattern = regex != NULL ? regex : string;
    if (rule.pattern == NULL || rule.pattern[0] == '\0' || json_object_size(pattern) != 1) {
        return refuse(reading, "Split", "no pattern");
    }
    return add_rule(reading, rule);
}

static mneme_status read_digits(const struct reading *reading, const json_t *digits) {
    bool alone = json_is_true(json_object_get(digits, "individual_digits"));
    return add_split(reading, "\\p{N}", alone ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS);
}

static mneme_status read_punctuation(const struct reading *reading, const json_t *part) {
    enum split_behavior behavior = SPLIT_ISOLATED;
    if (json_object_get(part, "behavior") != NULL) TRY(read_behavior(reading, part, &behavior));
    return add_rule(reading, (struct split_rule){SPLIT_BY_PUNCTUATION, NULL, behavior, false});
}

static mneme_status read_whitespace(const struct reading *reading, const json_t *part) {
    (void)part;
    return add_rule(reading,
                    (struct split_rule){SPLIT_BY_REGEX, "[" RUST_WORD "]+|[^\\s" RUST_WORD "]+",
                                        SPLIT_REMOVED, true});
}

static mneme_status read_whitespace_split(const struct reading *reading, const json_t *part) {
    (void)part;
    return add_split(reading, "\\s", SPLIT_REMOVED);
}

static mneme_status read_bert(const struct reading *reading, const json_t *part) {
    TRY(read_whitespace_split(reading, part));
    return add_rule(reading,
                    (struct split_rule){SPLIT_BY_PUNCTUATION, NULL, SPLIT_ISOLATED, false});
}

static mneme_status read_delimiter(const struct reading *reading, const json_t *part) {
    const char *delimiter = json_string_value(json_object_get(part, "delimiter"));
    if (delimiter == NULL || delimiter[0] == '\0') {
        return refuse(reading, "CharDelimiterSplit", "no delimiter");
    }
    return add_rule(reading,
                    (struct split_rule){SPLIT_BY_LITERAL, delimiter, SPLIT_REMOVED, false});
}

static mneme_status read_byte_level(const struct reading *reading, const json_t *part) {
    const json_t *use_regex = json_object_get(part, "use_regex");
    if (json_is_true(json_object_get(part, "add_prefix_space"))) {
        TRY(add_rule(reading, (struct split_rule){.action = SPLIT_PREFIX, .pattern = " "}));
    }
    if (!json_is_false(use_regex)) TRY(add_split(reading, BYTE_LEVEL_PATTERN, SPLIT_ISOLATED));
    return add_rule(reading, (struct split_rule){.action = SPLIT_ALPHABET});
}

static mneme_status read_metaspace(const struct reading *reading, const json_t *part) {
    struct metaspace metaspace;
    if (!metaspace_read(part, &metaspace)) {
        return refuse(reading, "Metaspace", "its replacement or prepend_scheme is none");
    }
    const char *text = metaspace.replacement;
    TRY(add_rule(reading, (struct split_rule){.action = SPLIT_SPACES, .pattern = text}));
    if (metaspace.scheme != METASPACE_NEVER) {
        bool always = metaspace.scheme == METASPACE_ALWAYS;
        TRY(add_rule(reading,
                     (struct split_rule){.action = always ? SPLIT_PREFIX : SPLIT_PREFIX_START,
                                         .pattern = text}));
    }
    if (json_is_false(json_object_get(part, "split"))) return MNEME_OK;
    return add_rule(reading,
                    (struct split_rule){SPLIT_BY_LITERAL, text, SPLIT_MERGED_AFTER, false});
}

static const struct kind {
    const char *type;
    mneme_status (*read)(const struct reading *reading, const json_t *part);
} kinds[] = {
    {"ByteLevel", read_byte_level},
    {"Split", read_split},
    {"Digits", read_digits},
    {"Metaspace", read_metaspace},
    {"Punctuation", read_punctuation},
    {"Whitespace", read_whitespace},
    {"WhitespaceSplit", read_whitespace_split},
    {"CharDelimiterSplit", read_delimiter},
    {"BertPreTokenizer", read_bert},
};

static mneme_status read_part(const struct reading *reading, const json_t *part, size_t depth) {
    const char *type = json_string_value(json_object_get(part, "type"));
    const json_t *parts = json_object_get(part, "pretokenizers");
    if (type == NULL || depth == MAX_DEPTH) return refuse(reading, "", "no `type`");
    if (strcmp(type, "Sequence") == 0) {
        if (!json_is_array(parts)) return refuse(reading, type, "no `pretokenizers`");
        for (size_t i = 0; i < json_array_size(parts); i++) {
            TRY(read_part(reading, json_array_get(parts, i), depth + 1));
        }
        return MNEME_OK;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, type) == 0) return kinds[i].read(reading, part);
    }
    return refuse(reading, type, "not supported");
}

/* Whether the texts of the vocabulary are bytes in the byte alphabet: only the last rule writes in
 * it. */
static bool is_byte_level(const struct split_plan *plan) {
    size_t n = 0;
    for (size_t i = 0; i < plan->n_rules; i++) n += plan->rules[i].action == SPLIT_ALPHABET;
    return n == 1 && plan->rules[plan->n_rules - 1].action == SPLIT_ALPHABET;
}

mneme_status tokenizer_read_rules(const json_t *pre_tokenizer, const char *path,
                                  struct split_plan *plan, bool *by_byte, mneme_error *error) {
    const struct reading reading = {path, plan, error};
    if (pre_tokenizer != NULL && !json_is_null(pre_tokenizer)) {
        TRY(read_part(&reading, pre_tokenizer, 0));
    }
    *by_byte = is_byte_level(plan);
    plan->n_rules -= *by_byte;
    return MNEME_OK;
}
