#include "tensor/safetensors.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    struct safetensors file;
    mneme_error error = {0};
    int descriptor = input_open(bytes, length, path);
    mneme_status status = safetensors_open(&file, path, &error);
    input_check(status, &error);
    for (size_t i = 0; status == MNEME_OK && i < file.n; i++) {
        const struct tensor *tensor = &file.entries[i].tensor;
        float *values = malloc(2 * file.entries[i].bytes + 1);
        if (values == NULL) abort();
        input_check(
            safetensors_read_f32(&file, tensor->name, tensor->rank, tensor->shape, values, &error),
            &error);
        free(values);
    }
    safetensors_close(&file);
    close(descriptor);
    return 0;
}
