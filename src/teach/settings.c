#include "teach/settings.h"

#include <string.h>

#include "base/json_write.h"

const struct teach_settings teach_default_settings = {.t = 0,
                                                      .t_share = 0.1f,
                                                      .idf_power = 5,
                                                      .lr = 0.5f,
                                                      .max_steps = 20,
                                                      .batch = 8,
                                                      .wordings = 16,
                                                      .enough = 0.2f,
                                                      .review = 64,
                                                      .review_steps = 6,
                                                      .seed = 1};

json_t *teach_settings_to_json(const struct teach_settings *s) {
    return json_pack(
        "{s:I, s:o, s:I, s:o, s:I, s:I, s:I, s:o, s:I, s:I, s:I}", "t", (json_int_t)s->t, "t_share",
        json_float(s->t_share), "idf_power", (json_int_t)s->idf_power, "lr", json_float(s->lr),
        "max_steps", (json_int_t)s->max_steps, "batch", (json_int_t)s->batch, "wordings",
        (json_int_t)s->wordings, "enough", json_float(s->enough), "review", (json_int_t)s->review,
        "review_steps", (json_int_t)s->review_steps, "seed", (json_int_t)s->seed);
}

static mneme_status read_keys(struct teach_settings *s, const struct json_place *root,
                              mneme_error *error) {
    const size_t most = (size_t)1 << 31;
    TRY(json_get_size(root, "t", KEY_OPTIONAL, 0, most, &s->t, error));
    TRY(json_get_float(root, "t_share", KEY_OPTIONAL, 0.0f, 1.0f, &s->t_share, error));
    s->idf_power = 1; /* of patches that do not say it */
    TRY(json_get_size(root, "idf_power", KEY_OPTIONAL, 1, 16, &s->idf_power, error));
    TRY(json_get_float(root, "lr", KEY_OPTIONAL, 0.0f, 1e30f, &s->lr, error));
    TRY(json_get_size(root, "max_steps", KEY_OPTIONAL, 1, most, &s->max_steps, error));
    TRY(json_get_size(root, "batch", KEY_OPTIONAL, 1, 4096, &s->batch, error));
    TRY(json_get_size(root, "wordings", KEY_OPTIONAL, 1, 4096, &s->wordings, error));
    TRY(json_get_float(root, "enough", KEY_OPTIONAL, 0.0f, 1e30f, &s->enough, error));
    TRY(json_get_size(root, "review", KEY_OPTIONAL, 0, most, &s->review, error));
    TRY(json_get_size(root, "review_steps", KEY_OPTIONAL, 0, most, &s->review_steps, error));
    return json_get_size(root, "seed", KEY_OPTIONAL, 0, most, &s->seed, error);
}

mneme_status teach_settings_read(struct teach_settings *s, const char *text, const char *place,
                                 mneme_error *error) {
    json_error_t cause;
    struct json_place root;
    json_t *object = json_parse(text, strlen(text), 0, &cause);
    if (object == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: settings: %s", place, cause.text);
    }
    mneme_status status = json_place_root(object, place, &root, error);
    THEN(read_keys(s, &root, error));
    json_decref(object);
    return status;
}
