#include "run/answers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "text/unicode.h"

#define MAX_BYTES ((size_t)1 << 32)

/* A line has nine digits of an F1, a mean of such is no further from the scores'. */
#define CLOSE 1e-8

mneme_status answers_add(FILE *stream, const struct answer *answer, mneme_error *error) {
    const struct fact *fact = answer->fact;
    /* It may be cut within a character. */
    char *repaired = unicode_repair(answer->said, answer->length);
    if (repaired == NULL) return error_set_memory(error, "an answer");
    json_t *answers = json_array(), *line = json_object();
    for (size_t i = 0; i < fact->n_answers; i++) {
        json_array_append_new(answers, json_string(fact->answers[i]));
    }
    json_object_set_new(line, "set", json_string(answer->set));
    json_object_set_new(line, "prompt",
                        json_string(fact->shown != NULL ? fact->shown : fact->prompt));
    json_object_set_new(line, "answers", answers);
    json_object_set_new(line, "said", json_string(repaired));
    free(repaired);
    json_object_set_new(line, "f1", json_real(answer->f1));
    if (answer->nll != NULL) json_object_set_new(line, "nll", json_real(*answer->nll));
    char *dumped = json_print(line, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    json_decref(line);
    if (dumped == NULL) return error_set_memory(error, "an answer");
    fprintf(stream, "%s\n", dumped);
    free(dumped);
    return MNEME_OK;
}

/* Of the questions of one set. */
struct sum {
    double f1;
    size_t n;
};

static mneme_status add_line(const char *line, const char *path, size_t number, struct sum *fresh,
                             struct sum *known, mneme_error *error) {
    json_error_t cause;
    json_t *object = json_parse(line, strlen(line), JSON_REJECT_DUPLICATES, &cause);
    const char *set = json_string_value(json_object_get(object, "set"));
    const json_t *f1 = json_object_get(object, "f1");
    const bool valid = set != NULL && json_is_number(f1);
    if (valid) {
        struct sum *sum = strcmp(set, "new") == 0 ? fresh : known;
        sum->f1 += json_number_value(f1);
        sum->n++;
    }
    json_decref(object);
    if (valid) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s:%zu: is not a line of answers", path, number);
}

static mneme_status compare(const char *path, const char *key, const struct sum *sum, double scored,
                            mneme_error *error) {
    double mean = sum->n == 0 ? 0.0 : sum->f1 / (double)sum->n;
    if (fabs(mean - scored) <= CLOSE) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: the lines' mean F1 is %.9g, but `%s` in scores.json is %.9g", path, mean,
                     key, scored);
}

mneme_status answers_check(const char *path, const struct scores *scores, mneme_error *error) {
    struct sum fresh = {0}, known = {0};
    char *bytes;
    size_t length, number = 0;
    TRY(file_read(path, MAX_BYTES, &bytes, &length, error));
    mneme_status status = MNEME_OK;
    char *rest = bytes;
    for (char *line; status == MNEME_OK && (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        status = add_line(line, path, ++number, &fresh, &known, error);
    }
    THEN(compare(path, "new_f1", &fresh, scores->new_f1, error));
    THEN(compare(path, "known_f1", &known, scores->known_f1, error));
    free(bytes);
    return status;
}
