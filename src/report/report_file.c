#include "report/report_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/path.h"

mneme_status report_file_text(const char *folder, const char *name, char *text,
                              mneme_error *error) {
    struct path path = path_in(folder, "%s", name);
    mneme_status status = text == NULL ? error_set_memory(error, path.text)
                                       : file_write_atomic(path.text, text, strlen(text), error);
    free(text);
    return status;
}

mneme_status report_file_json(const char *folder, const char *name, json_t *root,
                              mneme_error *error) {
    struct path path = path_in(folder, "%s", name);
    mneme_status status =
        root == NULL ? error_set_memory(error, path.text) : json_write_file(path.text, root, error);
    json_decref(root);
    return status;
}
