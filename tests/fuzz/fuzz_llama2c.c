#include "interchange/foreign.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    mneme_error error = {0};
    struct model model;
    int descriptor = input_open(bytes, length, path);
    input_check(foreign_open_llama2c(path, &model, &error), &error);
    model_close(&model);
    close(descriptor);
    return 0;
}
