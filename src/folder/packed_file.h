#ifndef FOLDER_PACKED_FILE_H
#define FOLDER_PACKED_FILE_H

#include <stdbool.h>

#include "corpus/packed_text.h"
#include "recipe/recipe.h"

/* A text corpus of the recipe as tokens, kept in the run folder. */
struct packed_file {
    const char *directory; /* of the run */
    bool is_read;          /* it was opened without a recipe */
    const char *name;      /* of the file in the run folder */
    const char *key;       /* of the sources in recipe.json's input_sha256 */
    const struct key_strings *sources;
    struct tokenizer *tokenizer; /* the one in the run folder */
    size_t sequence_length;
    struct packing_progress progress; /* of making it */
};

/* Opens the file, which is made if it is not there or was not finished. {0} where there are no
 * sources. MNEME_BAD_INPUT for a file that is damaged or was made of something else. */
mneme_status packed_file_open(const struct packed_file *file, struct packed_text *text,
                              mneme_error *error);

/* Tokens of a sequence of the recipe's text. */
size_t packed_file_sequence_length(const struct recipe *recipe);

#endif
