/* Tokenizes a text, continues it with a model, and prints the model's digest:
 *
 *     ./model FOLDER TEXT
 *
 * FOLDER is a model folder, such as runs/tiny/base after `make demo`. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/digest.h>
#include <mneme/generate.h>
#include <mneme/tokenize.h>

static mneme_status print_ids(const char *folder, const char *text, mneme_error *error) {
    mneme_tokenizer *tokenizer;
    mneme_status status = mneme_tokenizer_open(folder, &tokenizer, error);
    if (status != MNEME_OK) return status;
    int32_t *ids = NULL;
    size_t n = 0;
    status = mneme_tokenize(tokenizer, text, strlen(text), &ids, &n, error);
    printf("ids:");
    for (size_t i = 0; i < n; i++) printf(" %d", (int)ids[i]);
    printf("\n");
    free(ids);
    mneme_tokenizer_close(tokenizer);
    return status;
}

static mneme_status print_continuation(const char *folder, const char *text, mneme_error *error) {
    mneme_generator *generator;
    mneme_status status = mneme_generator_open(folder, &generator, error);
    if (status != MNEME_OK) return status;
    char *continuation = NULL;
    status = mneme_generate(generator, text, 16, &continuation, NULL, error);
    if (status == MNEME_OK) printf("text: %s%s\n", text, continuation);
    free(continuation);
    mneme_generator_close(generator);
    return status;
}

static mneme_status print_digest(const char *folder, mneme_error *error) {
    mneme_digest digest = {0};
    mneme_status status = mneme_digest_path(folder, &digest, error);
    if (status == MNEME_OK) printf("SHA-256: %s (%zu tensors)\n", digest.sha256, digest.n_tensors);
    mneme_digest_free(&digest);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FOLDER TEXT\n", argv[0]);
        return MNEME_BAD_INPUT;
    }
    mneme_error error = {0};
    mneme_status status = print_ids(argv[1], argv[2], &error);
    if (status == MNEME_OK) status = print_continuation(argv[1], argv[2], &error);
    if (status == MNEME_OK) status = print_digest(argv[1], &error);
    if (status != MNEME_OK) fprintf(stderr, "%s: %s\n", argv[0], error.message);
    return (int)status;
}
