#ifndef INTERCHANGE_GGUF_FILES_H
#define INTERCHANGE_GGUF_FILES_H

#include "base/error.h"

/* Writes into the model folder `folder` what a GGUF file says beside the weights: tokenizer.json,
 * generation_config.json (where texts start and end) and tokenizer_config.json (the chat template).
 * Without a tokenizer writes none of them. MNEME_BAD_INPUT for a tokenizer that is not known. */
mneme_status gguf_files_import(const char *path, const char *folder, mneme_error *error);

#endif
