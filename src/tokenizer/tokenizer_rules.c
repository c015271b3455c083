#include <jansson.h>
#include <string.h>

#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_parts.h"

/* GPT-2's pattern, which ByteLevel splits by where its use_regex is on. */
#define BYTE_LEVEL_PATTERN \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

static bool type_is(const json_t *part, const char *expected) {
    const char *type = json_string_value(json_object_get(part, "type"));
    return type != NULL && strcmp(type, expected) == 0;
}

static bool add_rule(struct split_plan *plan, struct split_rule rule) {
    if (plan->n_rules == SPLITTER_MAX_RULES) return false;
    plan->rules[plan->n_rules++] = rule;
    return true;
}

/* What a Split keeps; false for a behaviour that is not supported. */
static bool read_kept(const json_t *split, enum split_kept *kept) {
    const char *behavior = json_string_value(json_object_get(split, "behavior"));
    bool inverted = json_is_true(json_object_get(split, "invert"));
    *kept = SPLIT_ALL;
    if (behavior == NULL) return false;
    if (strcmp(behavior, "Isolated") == 0) return true;
    *kept = inverted ? SPLIT_MATCHES : SPLIT_GAPS;
    return strcmp(behavior, "Removed") == 0;
}

static bool read_split(const json_t *split, struct split_plan *plan) {
    const json_t *pattern = json_object_get(split, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const char *string = json_string_value(json_object_get(pattern, "String"));
    enum split_kept kept;
    if (!read_kept(split, &kept) || json_object_size(pattern) != 1) return false;
    if (regex != NULL) return add_rule(plan, (struct split_rule){regex, false, kept});
    if (string == NULL || string[0] == '\0') return false;
    return add_rule(plan, (struct split_rule){string, true, kept});
}

static bool read_digits(const json_t *digits, struct split_plan *plan) {
    bool alone = json_is_true(json_object_get(digits, "individual_digits"));
    return add_rule(plan, (struct split_rule){alone ? "\\p{N}" : "\\p{N}+", false, SPLIT_ALL});
}

static bool read_byte_level(const json_t *part, struct split_plan *plan) {
    const json_t *use_regex = json_object_get(part, "use_regex");
    if (!json_is_false(json_object_get(part, "add_prefix_space"))) return false;
    if (json_is_false(use_regex)) return true;
    if (use_regex != NULL && !json_is_true(use_regex)) return false;
    return add_rule(plan, (struct split_rule){BYTE_LEVEL_PATTERN, false, SPLIT_ALL});
}

static bool read_part(const json_t *part, bool is_last, struct split_plan *plan) {
    if (is_last) return type_is(part, "ByteLevel") && read_byte_level(part, plan);
    if (type_is(part, "Split")) return read_split(part, plan);
    return type_is(part, "Digits") && read_digits(part, plan);
}

mneme_status tokenizer_read_rules(const json_t *pre_tokenizer, const char *path,
                                  struct split_plan *plan, mneme_error *error) {
    const json_t *parts = json_object_get(pre_tokenizer, "pretokenizers");
    bool is_sequence = type_is(pre_tokenizer, "Sequence");
    size_t n = is_sequence ? json_array_size(parts) : 1;
    bool known = n > 0;
    for (size_t i = 0; known && i < n; i++) {
        const json_t *part = is_sequence ? json_array_get(parts, i) : pre_tokenizer;
        known = read_part(part, i + 1 == n, plan);
    }
    if (known) return MNEME_OK;
    return error_set(
        error, MNEME_BAD_INPUT,
        "%s: pre_tokenizer: expected ByteLevel (add_prefix_space false), alone or in a "
        "Sequence after Split (Isolated or Removed) and Digits",
        path);
}
