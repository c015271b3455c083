/* Scores of answers, from a file of strings. */

#include <stdlib.h>
#include <string.h>

#include "eval/qa_score.h"
#include "reference/reference_case.h"

#define MAX_BYTES ((size_t)1 << 20)
#define MAX_ANSWERS 16

/* Differences found so far. */
struct differences {
    size_t normalized, f1, exact_match;
};

/* One {"said", "answers", "normalized", "f1", "exact_match"}. */
static bool check_one(struct reference_case *c, const json_t *one, struct differences *d) {
    const char *said = json_string_value(json_object_get(one, "said"));
    const char *normalized = json_string_value(json_object_get(one, "normalized"));
    const json_t *list = json_object_get(one, "answers");
    const char *answers[MAX_ANSWERS];
    size_t n = json_array_size(list);
    bool whole = said != NULL && normalized != NULL && n <= MAX_ANSWERS;
    for (size_t i = 0; whole && i < n; i++) {
        answers[i] = json_string_value(json_array_get(list, i));
        whole = answers[i] != NULL;
    }
    if (!whole) {
        return reference_ok(
            c, error_set(c->error, MNEME_BAD_INPUT, "%s: a case lacks a string", c->path));
    }
    double f1, exact_match;
    char *ours = qa_normalize(said, strlen(said));
    if (ours == NULL) return reference_ok(c, error_set_memory(c->error, "an answer"));
    d->normalized += strcmp(ours, normalized) != 0;
    free(ours);
    if (!reference_ok(c, qa_score(said, strlen(said), answers, n, &f1, &exact_match, c->error))) {
        return false;
    }
    d->f1 += f1 != json_number_value(json_object_get(one, "f1"));
    d->exact_match += (exact_match == 1.0) != json_is_true(json_object_get(one, "exact_match"));
    return true;
}

void run_qa(struct reference_case *c) {
    json_t *root = NULL;
    struct differences d = {0};
    if (!reference_ok(c, json_read_file(c->path, MAX_BYTES, &root, c->error))) return;
    const json_t *cases = json_object_get(root, "cases");
    size_t n = json_array_size(cases);
    for (size_t i = 0; i < n; i++) {
        if (!check_one(c, json_array_get(cases, i), &d)) break;
    }
    json_decref(root);
    reference_count(c, n, d.normalized, "normalized");
    reference_count(c, n, d.f1, "F1");
    reference_count(c, n, d.exact_match, "exact match");
}
