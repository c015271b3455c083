/* Reading a tokenizer from a tokenizer.json. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_parts.h"

#define MAX_FILE_BYTES ((size_t)256 << 20)

static bool string_is(const json_t *value, const char *expected) {
    return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

/* The id of the first of the texts that is an added token, or -1. */
static int32_t find_added(const struct token_names *names, const char *const *texts,
                          size_t n_texts) {
    for (size_t i = 0; i < n_texts; i++) {
        for (size_t id = 0; id < names->n; id++) {
            if (names->names[id].is_added && strcmp(names->names[id].text, texts[i]) == 0) {
                return (int32_t)id;
            }
        }
    }
    return -1;
}

static void find_ends(const struct token_names *names, struct tokenizer *tokenizer) {
    static const char *const starts[] = {"<|begin_of_text|>", "<s>", "<bos>",
                                         "<｜begin▁of▁sentence｜>"};
    static const char *const ends[] = {TOKENIZER_END_OF_TEXT, "<|endoftext|>",         "</s>",
                                       "<|im_end|>",          "<｜end▁of▁sentence｜>", "<eos>"};
    tokenizer->end_of_text = find_added(names, ends, sizeof ends / sizeof *ends);
    tokenizer->start_of_text = find_added(names, starts, sizeof starts / sizeof *starts);
    if (tokenizer->start_of_text < 0) tokenizer->start_of_text = tokenizer->end_of_text;
}

/* The added tokens among the names; the caller frees the list. */
static mneme_status list_added(const struct tokenizer_file *file, const struct token_names *names,
                               struct split_added **list, size_t *n) {
    struct split_added *made = calloc(names->n, sizeof *made);
    if (made == NULL) return error_set_memory(file->error, "added tokens");
    *n = 0;
    for (size_t id = 0; id < names->n; id++) {
        const struct token_name *name = &names->names[id];
        if (!name->is_added) continue;
        made[(*n)++] = (struct split_added){{.text = (char *)name->text,
                                             .id = (int32_t)id,
                                             .lstrip = name->lstrip,
                                             .rstrip = name->rstrip,
                                             .single_word = name->single_word,
                                             .is_special = name->is_special},
                                            name->is_normalized};
    }
    *list = made;
    return MNEME_OK;
}

static mneme_status open_named(const struct tokenizer_file *file, const json_t *root,
                               const struct token_names *names, struct tokenizer **tokenizer) {
    struct split_plan plan = {.normalizer = json_object_get(root, "normalizer")};
    struct split_added *added = NULL;
    bool by_byte = false;
    mneme_status status = tokenizer_read_rules(json_object_get(root, "pre_tokenizer"), file->path,
                                               &plan, &by_byte, file->error);
    THEN(list_added(file, names, &added, &plan.n_added));
    plan.added = added;
    THEN(tokenizer_open(&plan, file->path, tokenizer, file->error));
    if (status == MNEME_OK) (*tokenizer)->bpe.by_byte = by_byte;
    free(added);
    return status;
}

/* Whether the text is that of a special token. */
static bool is_special_text(const struct token_names *names, const char *text) {
    for (size_t id = 0; id < names->n; id++) {
        const struct token_name *name = &names->names[id];
        if (name->is_special && strcmp(name->text, text) == 0) return true;
    }
    return false;
}

/* Keeps what a late token decodes to, if that is not its name. Then it is no special token to the
 * package's decode. */
static mneme_status keep_text(const struct tokenizer_file *file, const struct token_names *names,
                              int32_t id, struct tokenizer *tokenizer) {
    const struct token_name *name = &names->names[id];
    char *normal;
    size_t length;
    TRY(splitter_normalize(tokenizer->splitter, name->text, &normal, &length, file->error));
    if (strcmp(normal, name->text) == 0) {
        free(normal);
        return MNEME_OK;
    }
    tokenizer->texts[tokenizer->n_texts++] = (struct token_text){id, normal};
    tokenizer->is_special[id] = is_special_text(names, normal);
    return MNEME_OK;
}

/* What the names say about ids. */
static mneme_status keep_names(const struct tokenizer_file *file, const struct token_names *names,
                               struct tokenizer *tokenizer) {
    find_ends(names, tokenizer);
    tokenizer->is_special = calloc(names->n, sizeof *tokenizer->is_special);
    tokenizer->texts = calloc(names->n, sizeof *tokenizer->texts);
    if (tokenizer->is_special == NULL || tokenizer->texts == NULL) {
        return error_set_memory(file->error, "special tokens");
    }
    for (size_t id = 0; id < names->n; id++) {
        tokenizer->is_special[id] = names->names[id].is_special;
        if (names->names[id].in_model) tokenizer->n_model_ids = id + 1;
        if (!names->names[id].is_added || !names->names[id].is_normalized) continue;
        TRY(keep_text(file, names, (int32_t)id, tokenizer));
    }
    return MNEME_OK;
}

static mneme_status load_named(const struct tokenizer_file *file, const json_t *root,
                               const struct token_names *names, struct tokenizer **tokenizer) {
    TRY(open_named(file, root, names, tokenizer));
    TRY(keep_names(file, names, *tokenizer));
    TRY(bpe_load(file, json_object_get(root, "model"), names, &(*tokenizer)->bpe));
    TRY(decoder_open(json_object_get(root, "decoder"), file->path, &(*tokenizer)->decoder,
                     file->error));
    return tokenizer_read_frame(file, json_object_get(root, "post_processor"),
                                &(*tokenizer)->frame);
}

/* Old files of BPE do not say what they are. */
static mneme_status check_model(const struct tokenizer_file *file, const json_t *model) {
    const json_t *type = json_object_get(model, "type");
    if (string_is(type, "BPE") ||
        (type == NULL && json_is_array(json_object_get(model, "merges")))) {
        return MNEME_OK;
    }
    return error_set(file->error, MNEME_BAD_INPUT, "%s: model.type: %.64s: only BPE is supported",
                     file->path, json_is_string(type) ? json_string_value(type) : "missing");
}

static mneme_status load_root(const struct tokenizer_file *file, const json_t *root,
                              struct tokenizer **tokenizer) {
    struct token_names names = {0};
    TRY(check_model(file, json_object_get(root, "model")));
    mneme_status status = token_names_read(file, root, &names);
    THEN(load_named(file, root, &names, tokenizer));
    token_names_free(&names);
    return status;
}

mneme_status tokenizer_load(const char *path, struct tokenizer **tokenizer, mneme_error *error) {
    const struct tokenizer_file file = {path, error};
    struct tokenizer *loaded = NULL;
    char *bytes;
    size_t length;
    TRY(file_read(path, MAX_FILE_BYTES, &bytes, &length, error));
    json_error_t cause;
    json_t *root = json_parse(bytes, length, JSON_REJECT_DUPLICATES, &cause);
    mneme_status status =
        root == NULL ? error_set(error, MNEME_BAD_INPUT, "%s:%d: %s", path, cause.line, cause.text)
                     : load_root(&file, root, &loaded);
    json_decref(root);
    if (status == MNEME_OK && (loaded->path = strdup(path)) == NULL) {
        status = error_set_memory(error, path);
    }
    if (status == MNEME_OK) {
        loaded->source = bytes;
        loaded->source_length = length;
        *tokenizer = loaded;
    } else {
        tokenizer_free(loaded);
        free(bytes);
    }
    return status;
}
