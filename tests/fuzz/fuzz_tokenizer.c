#include <string.h>

#include "tests/fuzz/input.h"
#include "tokenizer/tokenizer.h"

static const char *const texts[] = {
    "It's 12,345 na\xc3\xafve\n  words\xff <|end_of_text|>",
    "\xe2\x96\x81the  low\xe2\x96\x81\xe2\x96\x81 lower <s> a<|u|>  tag\t</s>\xcc\xb4\xcc\x81",
    " \xe6\x95\xb0\xf0\x9f\x98\x80\xf0\xb1\x8d\x90 e\xcc\x81 \xc4\xb0\xef\xac\x81 \xe3\x80\x80.",
    ""};

/* The text to ids, as a prompt and as data, and those back. */
static void encode(struct tokenizer *tokenizer, const char *text) {
    mneme_error error = {0};
    struct token_list list = {0};
    char *decoded;
    input_check(tokenizer_encode(tokenizer, text, strlen(text), &list, &error), &error);
    input_check(tokenizer_encode_data(tokenizer, text, strlen(text), &list, &error), &error);
    for (enum decode_special special = DECODE_ALL; special <= DECODE_SKIPS_SPECIAL; special++) {
        mneme_status status =
            tokenizer_decode_as(tokenizer, list.ids, list.n, special, &decoded, NULL, &error);
        input_check(status, &error);
        if (status == MNEME_OK) free(decoded);
    }
    token_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    mneme_error error = {0};
    struct tokenizer *tokenizer;
    int descriptor = input_open(bytes, length, path);
    mneme_status status = tokenizer_load(path, &tokenizer, &error);
    input_check(status, &error);
    if (status == MNEME_OK) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) encode(tokenizer, texts[i]);
        tokenizer_free(tokenizer);
    }
    close(descriptor);
    return 0;
}
