#ifndef INTERCHANGE_HF_FILES_H
#define INTERCHANGE_HF_FILES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "tokenizer/tokenizer.h"

/* The small files beside the weights in a folder of transformers: where texts start and end, and
 * how they are tokenized. */

/* Writes a file of an object, which it takes; NULL: there was no memory for it. */
mneme_status hf_files_write(const char *folder, const char *name, json_t *object,
                            mneme_error *error);

/* Takes bos_token_id, eos_token_id and pad_token_id of `source`/config.json over to the one in
 * `folder`, from a folder of transformers with what it takes where the first two are missing, and
 * copies generation_config.json. Refuses what they cannot mean. */
mneme_status hf_files_import_ends(const char *source, bool is_hf, const char *folder,
                                  mneme_error *error);

/* Copies the files that go with a tokenizer.json, those that there are. */
mneme_status hf_files_import_tokenizer(const char *source, const char *folder, mneme_error *error);

/* Writes into `folder` what transformers needs beside config.json and the weights of the model
 * folder `source`: what was imported with it, or else what says the same as mneme does. `tokenizer`
 * may be NULL. */
mneme_status hf_files_export(const char *source, const struct tokenizer *tokenizer,
                             size_t max_seq_len, const char *folder, mneme_error *error);

/* The same for the three keys of config.json, set in `config`. */
mneme_status hf_files_export_ends(const char *source, const struct tokenizer *tokenizer,
                                  json_t *config, mneme_error *error);

#endif
