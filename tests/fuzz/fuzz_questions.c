/* Questions and texts as JSON, tables and plain text; the bytes as an answer, too. */

#include "data/questions.h"
#include "eval/qa_score.h"
#include "tests/fuzz/input.h"

/* A text is as good as itself. */
static void check_score(const char *text, size_t length) {
    double f1, exact_match;
    mneme_error error;
    char *normal = qa_normalize(text, length);
    const char *answer = normal;
    if (normal == NULL || memchr(text, '\0', length) != NULL) {
        free(normal);
        return;
    }
    if (qa_score(normal, strlen(normal), &answer, 1, &f1, &exact_match, &error) != MNEME_OK ||
        f1 != 1.0 || exact_match != 1.0) {
        abort();
    }
    free(normal);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    mneme_error error = {0};
    struct question_set set = {0};
    int descriptor = input_open(bytes, length, path);
    mneme_status status = questions_load(path, &set, &error);
    input_check(status, &error);
    questions_free(&set);
    status = questions_load_facts(path, &set, &error);
    input_check(status, &error);
    questions_free(&set);
    if (length < 512) check_score((const char *)bytes, length);
    close(descriptor);
    return 0;
}
