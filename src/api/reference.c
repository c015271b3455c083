#include <mneme/reference.h>

#include <stdlib.h>

#include "base/float_state.h"
#include "reference/reference.h"

mneme_status mneme_reference_check(const mneme_reference_options *options,
                                   mneme_equivalence *equivalence, mneme_error *error) {
    struct float_state state = {0};
    *equivalence = (mneme_equivalence){0};
    mneme_status status = float_state_enter(&state, error);
    THEN(reference_check(options, equivalence, error));
    float_state_leave(&state);
    return status;
}

void mneme_equivalence_free(mneme_equivalence *equivalence) {
    free(equivalence->rows);
    *equivalence = (mneme_equivalence){0};
}
