#ifndef MODEL_PARAMETER_DIGEST_H
#define MODEL_PARAMETER_DIGEST_H

#include "base/digest.h"
#include "model/model.h"

/* The digest of all parameters, by the rules in <mneme/digest.h>: that of the file that model_save
 * would write. */
mneme_status parameter_digest_model(const struct model *model, struct digest *digest,
                                    mneme_error *error);

/* Of n parameters by the same rules. */
mneme_status parameter_digest_list(size_t n, struct parameter *const *parameters,
                                   struct digest *digest, mneme_error *error);

#endif
