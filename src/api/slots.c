#include <mneme/slots.h>

#include <stddef.h>

#include "base/float_state.h"
#include "slots/slots.h"

mneme_status mneme_slots(const mneme_slots_options *options, char **report, mneme_error *error) {
    struct float_state state = {0};
    *report = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(slots_view(options, report, error));
    float_state_leave(&state);
    return status;
}
