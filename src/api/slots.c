#include <mneme/slots.h>

#include <stddef.h>

#include "base/file_lock.h"
#include "base/float_state.h"
#include "folder/folder.h"
#include "slots/slots.h"

mneme_status mneme_slots(const mneme_slots_options *options, char **report, mneme_error *error) {
    struct float_state state = {0};
    struct file_lock lock = {0};
    *report = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(file_lock_take(&lock, options->directory, FOLDER_LOCK, error));
    THEN(slots_view(options, report, error));
    file_lock_release(&lock);
    float_state_leave(&state);
    return status;
}
