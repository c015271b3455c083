/* The table of the recipe's keys for people, who read it in docs/recipes.md and `mneme run --keys`.
 */

#include <stdlib.h>

#include "base/json_path.h"
#include "base/json_write.h"
#include "base/text.h"
#include "recipe/recipe_keys.h"

/* Bounds from here on are none that a reader needs to know. */
#define MANY 0x1p40
#define LARGE 1e30

static const char *type_name(const struct key *key) {
    switch (key->type) {
        case KEY_STRING:
            return (key->flags & IS_INPUT) != 0 ? "path" : "string";
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

/* Texts are made by one printer per column, which appends to *text. */

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

static void add_choices(struct text *text, const struct key *key) {
    for (size_t i = 0; i < key->n_names; i++) {
        text_add(text, "%s%s", i == 0 ? "" : ", ", key->names[i]);
    }
}

static void add_range(struct text *text, const struct key *key) {
    bool is_whole = key->type == KEY_SIZE || key->type == KEY_SIZES;
    if (key->type == KEY_CHOICE) add_choices(text, key);
    if (!is_whole && key->type != KEY_FLOAT && key->type != KEY_FLOATS) return;
    if (key->high >= (is_whole ? MANY : LARGE)) {
        text_add(text, "at least %.10g", key->low);
    } else {
        text_add(text, "%.10g to %.10g", key->low, key->high);
    }
}

static void add_documentation(struct text *text, const struct key *key) {
    if ((key->flags & OF_WORLD) != 0) text_add(text, "of a world: ");
    if ((key->flags & OF_QUESTIONS) != 0) text_add(text, "of questions: ");
    text_add(text, "%s", key->documentation);
}

typedef void printer(struct text *text, const struct key *key);

char *recipe_keys_markdown(void) {
    static printer *const columns[] = {add_default, add_range, add_documentation};
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

/* The text of one column as a member, where there is any. */
static int put_text(json_t *object, const char *name, printer *add, const struct key *key) {
    struct text text = {0};
    text_add(&text, "%s", "");
    add(&text, key);
    char *bytes = text_take(&text);
    int failed = bytes == NULL;
    if (bytes != NULL && *bytes != '\0') failed = json_put(object, name, json_string(bytes));
    free(bytes);
    return failed;
}

static int append_key(json_t *list, const struct key *key) {
    json_t *object = json_object();
    int failed = json_put(object, "key", json_string(key->path));
    failed |= json_put(object, "type", json_string(type_name(key)));
    failed |= put_text(object, "default", add_default, key);
    failed |= put_text(object, "range", add_range, key);
    failed |= put_text(object, "documentation", add_documentation, key);
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
