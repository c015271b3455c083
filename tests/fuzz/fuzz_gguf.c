/* A GGUF file: its model, every tensor of it, and its tokenizer, which is loaded and used. */

#include <jansson.h>

#include "interchange/foreign.h"
#include "interchange/gguf_tokenizer.h"
#include "tensor/gguf.h"
#include "tests/fuzz/input.h"

static void read_tensors(const struct gguf *file) {
    mneme_error error = {0};
    for (size_t i = 0; i < file->n; i++) {
        const struct gguf_entry *entry = &file->entries[i];
        if (entry->type == NULL) continue; /* its count can be anything */
        float *values = malloc(entry->count * sizeof *values + 1);
        if (values == NULL) abort();
        input_check(gguf_read_f32(file, entry->name, entry->rank, entry->shape, values, &error),
                    &error);
        free(values);
    }
}

static void encode(struct tokenizer *tokenizer) {
    static const char text[] = "It's 12 na\xc3\xafve <s>words\xff\n abab";
    mneme_error error = {0};
    struct token_list list = {0};
    char *decoded;
    input_check(tokenizer_encode(tokenizer, text, sizeof text - 1, &list, &error), &error);
    mneme_status status = tokenizer_decode(tokenizer, list.ids, list.n, &decoded, NULL, &error);
    input_check(status, &error);
    if (status == MNEME_OK) free(decoded);
    token_list_free(&list);
}

/* As an import does: what the metadata make is a tokenizer.json, and read as one. */
static void use_tokenizer(const struct gguf *file) {
    char path[64];
    mneme_error error = {0};
    json_t *root;
    struct tokenizer *tokenizer;
    mneme_status status = gguf_tokenizer(file, &root, &error);
    input_check(status, &error);
    if (status != MNEME_OK || root == NULL) return;
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL) abort();
    int descriptor = input_open((const uint8_t *)text, strlen(text), path);
    free(text);
    status = tokenizer_load(path, &tokenizer, &error);
    input_check(status, &error);
    if (status == MNEME_OK) {
        encode(tokenizer);
        tokenizer_free(tokenizer);
    }
    close(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    mneme_error error = {0};
    struct model model;
    struct gguf file;
    int descriptor = input_open(bytes, length, path);
    input_check(foreign_open_gguf(path, &model, &error), &error);
    model_close(&model);
    mneme_status status = gguf_open(&file, path, &error);
    input_check(status, &error);
    if (status == MNEME_OK) {
        read_tensors(&file);
        use_tokenizer(&file);
        gguf_close(&file);
    }
    close(descriptor);
    return 0;
}
