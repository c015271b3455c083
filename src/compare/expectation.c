#include "compare/expectation.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

#define MAX_EXPECTED_BYTES ((size_t)1 << 20)

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

mneme_status expectation_check(const char *path, const struct report *report, mneme_error *error) {
    json_t *object = NULL;
    struct json_place root;
    mneme_status status = json_read_file(path, MAX_EXPECTED_BYTES, &object, error);
    if (status == MNEME_OK) status = json_place_root(object, path, &root, error);
    if (status == MNEME_OK) status = compare(&root, "base", &report->base_digest, error);
    for (size_t m = 0; status == MNEME_OK && m < report->n_methods; m++) {
        const struct report_method *method = &report->methods[m];
        status = compare(&root, method->name, &method->runs[method->chosen].digest, error);
    }
    if (status == MNEME_OK) status = compare(&root, "result", &report->result, error);
    json_decref(object);
    return status;
}
