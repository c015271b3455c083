#ifndef TOKENIZER_TOKENIZER_NAMES_H
#define TOKENIZER_TOKENIZER_NAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The tokens of a tokenizer.json, by id; for the files of the tokenizer only. */

/* A file that is being read. */
struct tokenizer_file {
    const char *path;
    mneme_error *error;
};

/* MNEME_BAD_INPUT "PATH: CAUSE". */
mneme_status tokenizer_refuse(const struct tokenizer_file *file, const char *cause);

/* A token as it stands in the file. */
struct token_name {
    const char *text; /* NULL: no token has this id */
    bool in_model;    /* of model.vocab */
    bool is_added;    /* of added_tokens */
    bool is_normalized;
    bool is_special;
    bool lstrip, rstrip, single_word;
};

/* names[id] for ids 0 to n - 1; ids may be missing in between, but not the last. The texts are the
 * JSON's. */
struct token_names {
    struct token_name *names;
    size_t n;
};

/* Reads model.vocab and added_tokens. Each id has one token; an added token that model.vocab does
 * not have must state the id that the Python package gives it, which takes no notice of what is
 * stated. */
mneme_status token_names_read(const struct tokenizer_file *file, const json_t *root,
                              struct token_names *names);
void token_names_free(struct token_names *names);

#endif
