/* Files of multiple-choice questions. */

#include "data/choices.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    mneme_error error = {0};
    struct choice_set set = {0};
    int descriptor = input_open(bytes, length, path);
    mneme_status status = choices_load(path, &set, &error);
    input_check(status, &error);
    for (size_t i = 0; i < set.n; i++) {
        if (set.questions[i].right >= set.questions[i].endings.n) abort();
    }
    choices_free(&set);
    close(descriptor);
    return 0;
}
