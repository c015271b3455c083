#include <mneme/tokenize.h>

#include <stdlib.h>

#include "base/file.h"
#include "base/path.h"
#include "text/unicode.h"
#include "tokenizer/tokenizer.h"

struct mneme_tokenizer {
    struct tokenizer *tokenizer;
};

mneme_status mneme_tokenizer_open(const char *path, mneme_tokenizer **tokenizer,
                                  mneme_error *error) {
    struct path file = path_in(path, "tokenizer.json");
    mneme_tokenizer *opened = calloc(1, sizeof *opened);
    *tokenizer = NULL;
    if (opened == NULL) return error_set_memory(error, "the tokenizer");
    mneme_status status =
        tokenizer_load(file_is_directory(path) ? file.text : path, &opened->tokenizer, error);
    if (status == MNEME_OK) {
        *tokenizer = opened;
    } else {
        free(opened);
    }
    return status;
}

void mneme_tokenizer_close(mneme_tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    tokenizer_free(tokenizer->tokenizer);
    free(tokenizer);
}

mneme_status mneme_tokenize(mneme_tokenizer *tokenizer, const char *text, size_t length,
                            int32_t **ids, size_t *n, mneme_error *error) {
    struct token_list list = {0};
    mneme_status status = tokenizer_encode(tokenizer->tokenizer, text, length, &list, error);
    *ids = NULL;
    *n = 0;
    if (status == MNEME_OK) {
        *ids = list.ids;
        *n = list.n;
    } else {
        token_list_free(&list);
    }
    return status;
}

mneme_status mneme_detokenize(const mneme_tokenizer *tokenizer, const int32_t *ids, size_t n,
                              int skip_special, char **text, size_t *length, mneme_error *error) {
    char *bytes;
    size_t n_bytes;
    *text = NULL;
    TRY(tokenizer_decode_as(tokenizer->tokenizer, ids, n,
                            skip_special != 0 ? DECODE_SKIPS_SPECIAL : DECODE_ALL, &bytes, &n_bytes,
                            error));
    *text = unicode_repair_bytes(bytes, n_bytes, &n_bytes);
    free(bytes);
    if (*text == NULL) return error_set_memory(error, "decoded text");
    if (length != NULL) *length = n_bytes;
    return MNEME_OK;
}
