#include "folder/packed_file.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "recipe/identity.h"

/* Longer sequences cost more than they teach a small model. */
#define MOST_TOKENS 512

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t packed_file_sequence_length(const struct recipe *recipe) {
    if (recipe->pretrain.sequence_length > 0) return recipe->pretrain.sequence_length;
    return least(MOST_TOKENS, least(recipe->model.max_seq_len, recipe->pretrain.batch_tokens));
}

static mneme_status digest_tokenizer(const char *directory, struct digest *digest,
                                     mneme_error *error) {
    uint64_t length = UINT64_MAX;
    return digest_of_prefix(path_in(directory, FOLDER_TOKENIZER).text, &length, digest, error);
}

static PATH_OUT_OF_LINE mneme_status make(const struct packed_file *file,
                                          const struct packed_text_origin *origin,
                                          mneme_error *error) {
    struct path path = path_in(file->directory, "%s", file->name);
    const char *const paths[] = {path.text};
    TRY(manifest_forget(file->directory, paths, 1, error));
    TRY(packed_text_make(path.text, (const char *const *)file->sources->texts, file->sources->n,
                         file->tokenizer, origin, &file->progress, error));
    return manifest_sign(file->directory, paths, 1, error);
}

static mneme_status check_seal(const char *path, mneme_error *error) {
    struct safetensors file;
    TRY(safetensors_open(&file, path, error));
    mneme_status status = safetensors_check_seal(&file, error);
    safetensors_close(&file);
    return status;
}

static PATH_OUT_OF_LINE mneme_status take(const struct packed_file *file,
                                          const struct packed_text_origin *origin,
                                          struct packed_text *text, mneme_error *error) {
    struct path path = path_in(file->directory, "%s", file->name);
    const bool is_there =
        file->is_read ? file_exists(path.text) : manifest_holds(file->directory, path.text);
    if (is_there) {
        TRY(manifest_check(file->directory, path.text, error));
        TRY(check_seal(path.text, error));
    } else {
        TRY(make(file, origin, error));
    }
    return packed_text_open(text, path.text, origin, tokenizer_vocab_size(file->tokenizer),
                            file->sequence_length, error);
}

mneme_status packed_file_open(const struct packed_file *file, struct packed_text *text,
                              mneme_error *error) {
    struct digest tokenizer;
    char *sources;
    *text = (struct packed_text){0};
    if (file->sources->n == 0) return MNEME_OK;
    TRY(digest_tokenizer(file->directory, &tokenizer, error));
    TRY(identity_input(file->directory, file->key, &sources, error));
    const struct packed_text_origin origin = {sources, tokenizer.hex};
    mneme_status status = take(file, &origin, text, error);
    free(sources);
    return status;
}
