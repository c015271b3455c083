#include "tests/fuzz/input.h"
#include "tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static const char text[] = "It's 12,345 na\xc3\xafve\n  words\xff <|end_of_text|>";
    char path[64];
    mneme_error error = {0};
    struct tokenizer *tokenizer;
    struct token_list list = {0};
    int descriptor = input_open(bytes, length, path);
    mneme_status status = tokenizer_load(path, &tokenizer, &error);
    input_check(status, &error);
    if (status == MNEME_OK) {
        input_check(tokenizer_encode(tokenizer, text, sizeof text - 1, &list, &error), &error);
        token_list_free(&list);
        tokenizer_free(tokenizer);
    }
    close(descriptor);
    return 0;
}
