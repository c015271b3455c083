#include "interchange/foreign.h"

/* mneme's own model folders, which are imported to be written in another type. */
mneme_status foreign_open_mneme(const char *path, struct model *model, mneme_error *error) {
    return model_load(path, model, error);
}
