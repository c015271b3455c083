/* A patch's facts as JSON lines. */

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "patch/patch_parts.h"

/* More steps than any fact takes. */
#define MAX_STEPS ((size_t)1 << 40)

static json_t *fact_to_json(const struct patch_fact *fact) {
    json_t *answers = json_array();
    for (size_t i = 0; i < fact->answers.n; i++) {
        json_array_append_new(answers, json_string(fact->answers.texts[i]));
    }
    return json_pack("{s:s, s:o, s:I, s:o}", "question", fact->question, "answer", answers, "steps",
                     (json_int_t)fact->steps, "loss", json_float(fact->loss));
}

mneme_status patch_facts_print(const struct patch *patch, char **bytes, size_t *length,
                               mneme_error *error) {
    struct text text = {0};
    bool failed = false;
    for (size_t i = 0; i < patch->n_facts; i++) {
        json_t *object = fact_to_json(&patch->facts[i]);
        char *line =
            object == NULL ? NULL : json_print(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
        failed |= line == NULL;
        if (line != NULL) text_add(&text, "%s\n", line);
        free(line);
        json_decref(object);
    }
    text_add(&text, "%s", ""); /* which may be all */
    *length = text.length;
    *bytes = text_take(&text);
    return failed || *bytes == NULL ? error_set_memory(error, "the facts of a patch") : MNEME_OK;
}

/* A list of strings, at least one. */
static mneme_status parse_answers(const struct json_place *root, struct text_list *answers,
                                  mneme_error *error) {
    const json_t *list = json_object_get(root->object, "answer");
    if (!json_is_array(list) || json_array_size(list) == 0) {
        return json_refuse(root, "answer", error, "must be a list of texts");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *answer = json_array_get(list, i);
        if (!json_is_string(answer)) {
            return json_refuse(root, "answer", error, "must be a list of texts");
        }
        TRY(text_list_add_copy(answers, json_string_value(answer), json_string_length(answer),
                               error));
    }
    return MNEME_OK;
}

mneme_status patch_fact_parse(const char *bytes, size_t length, const char *place,
                              struct patch_fact *fact, mneme_error *error) {
    json_error_t cause;
    json_t *object = json_parse(bytes, length, JSON_REJECT_DUPLICATES, &cause);
    if (object == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: not JSON: %s", place, cause.text);
    }
    struct json_place root;
    mneme_status status = json_place_root(object, place, &root, error);
    THEN(json_get_string(&root, "question", KEY_REQUIRED, &fact->question, error));
    THEN(parse_answers(&root, &fact->answers, error));
    THEN(json_get_size(&root, "steps", KEY_REQUIRED, 0, MAX_STEPS, &fact->steps, error));
    THEN(json_get_float(&root, "loss", KEY_REQUIRED, 0.0f, 1e30f, &fact->loss, error));
    json_decref(object);
    return status;
}
