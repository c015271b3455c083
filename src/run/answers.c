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

static mneme_status refuse_line(const char *path, size_t number, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s:%zu: is not a line of answers", path, number);
}

/* Reads a line, whose strings are the object's. */
static bool read_line(const json_t *object, struct answer_read *line) {
    const json_t *f1 = json_object_get(object, "f1");
    *line = (struct answer_read){json_string_value(json_object_get(object, "set")),
                                 json_string_value(json_object_get(object, "prompt")),
                                 json_number_value(f1)};
    return line->set != NULL && line->prompt != NULL && json_is_number(f1);
}

mneme_status answers_read(const char *path,
                          mneme_status (*take)(void *user, const struct answer_read *line,
                                               size_t number, mneme_error *error),
                          void *user, mneme_error *error) {
    char *bytes;
    size_t length, number = 0;
    TRY(file_read(path, MAX_BYTES, &bytes, &length, error));
    mneme_status status = MNEME_OK;
    char *rest = bytes;
    for (char *text; status == MNEME_OK && (text = strtok_r(rest, "\n", &rest)) != NULL;) {
        json_error_t cause;
        json_t *object = json_parse(text, strlen(text), JSON_REJECT_DUPLICATES, &cause);
        struct answer_read line;
        status = read_line(object, &line) ? take(user, &line, ++number, error)
                                          : refuse_line(path, number + 1, error);
        json_decref(object);
    }
    free(bytes);
    return status;
}

/* Of the questions of one set. */
struct sum {
    double f1;
    size_t n;
};

struct sums {
    struct sum fresh, known;
};

static mneme_status add_to_sums(void *user, const struct answer_read *line, size_t number,
                                mneme_error *error) {
    (void)number;
    (void)error;
    struct sums *sums = user;
    struct sum *sum = strcmp(line->set, "new") == 0 ? &sums->fresh : &sums->known;
    sum->f1 += line->f1;
    sum->n++;
    return MNEME_OK;
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
    struct sums sums = {0};
    TRY(answers_read(path, add_to_sums, &sums, error));
    TRY(compare(path, "new_f1", &sums.fresh, scores->new_f1, error));
    return compare(path, "known_f1", &sums.known, scores->known_f1, error);
}
