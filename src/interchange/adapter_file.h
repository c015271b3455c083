#ifndef INTERCHANGE_ADAPTER_FILE_H
#define INTERCHANGE_ADAPTER_FILE_H

#include "model/adapter.h"

/* A set of adapters in a model's folder: adapter.safetensors, with lora_A and lora_B of each linear
 * layer by its name, and in its metadata alpha and the digest of the tensors. */

mneme_status adapter_file_save(const struct adapter_set *set, const char *folder,
                               mneme_error *error);
/* Makes the set of a described model from the file. MNEME_BAD_INPUT for one that is not as it was
 * written. */
mneme_status adapter_file_load(const char *folder, struct model *model, struct adapter_set *set,
                               mneme_error *error);

#endif
