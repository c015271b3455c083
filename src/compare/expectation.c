#include "compare/expectation.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

static mneme_status compare(const struct json_place *expected, const char *name,
                            const struct digest *found, mneme_error *error) {
    char *wanted = NULL;
    mneme_status status = json_get_string(expected, name, KEY_REQUIRED, &wanted, error);
    if (status == MNEME_OK && strcmp(wanted, found->hex) != 0) {
        status = error_set(error, MNEME_FAILED,
                           "not the expected result: `%s` has digest %s, in %s it is %s", name,
                           found->hex, expected->place, wanted);
    }
    free(wanted);
    return status;
}

/* A series has the digest of its chosen model; null when all its cells diverged. */
static mneme_status compare_series(const struct json_place *expected, const struct result *result,
                                   size_t s, mneme_error *error) {
    const char *name = result->plan->series[s].name;
    const bool wants_none = json_is_null(json_object_get(expected->object, name));
    if (result_has_points(result, 0, s) && !wants_none) {
        const struct cell *chosen = &result->outcomes[0][s].cells[result_chosen(result, 0, s)];
        return compare(expected, name, &chosen->run.digest, error);
    }
    if (result_has_points(result, 0, s) != wants_none) return MNEME_OK;
    return error_set(error, MNEME_FAILED, "not the expected result: `%s` diverged %s alone", name,
                     wants_none ? "there" : "here");
}

static mneme_status compare_all(const struct json_place *expected, const struct result *result,
                                mneme_error *error) {
    TRY(compare(expected, "base", &result->base[0].digest, error));
    for (size_t s = 0; s < result->plan->n_series; s++) {
        TRY(compare_series(expected, result, s, error));
    }
    return compare(expected, "result", &result->digest, error);
}

mneme_status expectation_check(const char *path, const struct result *result, mneme_error *error) {
    json_t *object;
    struct json_place root;
    TRY(json_read_file(path, JSON_MAX_BYTES, &object, error));
    mneme_status status = json_place_root(object, path, &root, error);
    THEN(compare_all(&root, result, error));
    json_decref(object);
    return status;
}
