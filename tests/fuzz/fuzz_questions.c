/* Questions as CSV, JSON lines, TriviaQA's JSON and plain text. */

#include "data/questions.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    mneme_error error = {0};
    struct question_set set = {0};
    int descriptor = input_open(bytes, length, path);
    mneme_status status = questions_load(path, &set, &error);
    input_check(status, &error);
    questions_free(&set);
    close(descriptor);
    return 0;
}
