/* The table of the recipe's keys for people, who read it in docs/recipes.md and `mneme run --keys`.
 */

#include "recipe/recipe_keys_text.h"

#include <stdlib.h>

#include "base/json_path.h"
#include "base/json_write.h"
#include "base/text.h"
#include "recipe/recipe.h"

/* Bounds from here on are none that a reader needs to know. */
#define MANY 0x1p40
#define LARGE 1e30

static const char *type_name(const struct key *key) {
    switch (key->type) {
        case KEY_STRING:
            return (key->flags & IS_INPUT) != 0 ? "path" : "string";
        case KEY_STRINGS:
            return (key->flags & IS_INPUT) != 0 ? "path or paths" : "string or strings";
        case KEY_SIZE:
            return "integer";
        case KEY_FLOAT:
            return "number";
        case KEY_BOOL:
            return "boolean";
        case KEY_CHOICE:
            return "choice";
        case KEY_SIZES:
            return "integers";
        case KEY_FLOATS:
            return "numbers";
        default:
            return "object";
    }
}

static bool is_whole(const struct key *key) {
    return key->type == KEY_SIZE || key->type == KEY_SIZES;
}

static bool has_range(const struct key *key) {
    return is_whole(key) || key->type == KEY_FLOAT || key->type == KEY_FLOATS;
}

/* The columns; each appends to *text what it says of a key. */

static void add_default(struct text *text, const struct key *key) {
    if (key_is_required(key)) {
        text_add(text, "required");
    } else if (key->derived != NULL) {
        text_add(text, "%s", key->derived->text);
    } else if (key->type == KEY_SIZE || key->type == KEY_FLOAT) {
        text_add(text, "%.7g", key->initial);
    } else if (key->type == KEY_BOOL) {
        text_add(text, key->initial > 0.0 ? "true" : "false");
    } else if (key->type == KEY_CHOICE) {
        text_add(text, "%s", key->names[(size_t)key->initial]);
    }
}

static void add_range(struct text *text, const struct key *key) {
    for (size_t i = 0; i < key->n_names; i++) {
        text_add(text, "%s%s", i == 0 ? "" : ", ", key->names[i]);
    }
    if (!has_range(key)) return;
    const int digits = is_whole(key) ? 20 : 7;
    if (key->high >= (is_whole(key) ? MANY : LARGE)) {
        text_add(text, "at least %.*g", digits, key->low);
    } else {
        text_add(text, "%.*g to %.*g", digits, key->low, digits, key->high);
    }
}

static void add_documentation(struct text *text, const struct key *key) {
    if ((key->flags & OF_WORLD) != 0) text_add(text, "of a world: ");
    if ((key->flags & OF_QUESTIONS) != 0) text_add(text, "of questions: ");
    text_add(text, "%s", key->documentation);
}

char *recipe_keys_markdown(void) {
    static void (*const columns[])(struct text *, const struct key *) = {add_default, add_range,
                                                                         add_documentation};
    struct text text = {0};
    text_add(&text, "| key | type | default | range | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < recipe_keys.n; i++) {
        const struct key *key = &recipe_keys.keys[i];
        if (key->path == NULL) continue;
        const char *bold = key->type == KEY_OBJECT ? "**" : "";
        text_add(&text, "| %s`%s`%s | %s |", bold, key->path, bold, type_name(key));
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            size_t before = text.length;
            text_add(&text, " ");
            columns[c](&text, key);
            text_add(&text, text.length > before + 1 ? " |" : "|");
        }
        text_add(&text, "\n");
    }
    return text_take(&text);
}

/* A text as a value; NULL without memory. Takes it. */
static json_t *take_string(struct text *text) {
    char *bytes = text_take(text);
    json_t *string = json_string(bytes);
    free(bytes);
    return string;
}

static json_t *number(const struct key *key, double value) {
    return is_whole(key) ? json_integer((json_int_t)value) : json_float((float)value);
}

/* A value where there is one; a text where other keys decide. */
static json_t *default_to_json(const struct key *key) {
    struct text text = {0};
    if (key->type == KEY_BOOL && key->derived == NULL) return json_boolean(key->initial > 0.0);
    if (has_range(key) && key->derived == NULL) return number(key, key->initial);
    text_add(&text, "%s", "");
    add_default(&text, key);
    return take_string(&text);
}

/* [least, most], or the choices. */
static json_t *range_to_json(const struct key *key) {
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < key->n_names; i++) {
        failed |= json_array_append_new(list, json_string(key->names[i]));
    }
    if (has_range(key)) {
        failed |= json_array_append_new(list, number(key, key->low));
        failed |= json_array_append_new(list, number(key, key->high));
    }
    if (failed == 0) return list;
    json_decref(list);
    return NULL;
}

static int append_key(json_t *list, const struct key *key) {
    struct text text = {0};
    json_t *object = json_object();
    const bool has_default = key_has_value(key) && (key->flags & KEY_MAY_LACK) == 0;
    add_documentation(&text, key);
    int failed = json_put(object, "key", json_string(key->path));
    failed |= json_put(object, "type", json_string(type_name(key)));
    failed |= json_put(object, "required", json_boolean(key_is_required(key)));
    if (has_default && !key_is_required(key)) {
        failed |= json_put(object, "default", default_to_json(key));
    }
    if (has_range(key) || key->n_names > 0) failed |= json_put(object, "range", range_to_json(key));
    failed |= json_put(object, "documentation", take_string(&text));
    return failed | json_array_append_new(list, object);
}

char *recipe_keys_json(void) {
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < recipe_keys.n; i++) {
        if (recipe_keys.keys[i].path != NULL) failed |= append_key(list, &recipe_keys.keys[i]);
    }
    char *text = failed == 0 ? json_print(list, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(list);
    return text;
}
