#include "base/report_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/path.h"

mneme_status report_file_text(const char *directory, const char *name, char *text,
                              mneme_error *error) {
    char *path = path_join(directory, name);
    mneme_status status = path == NULL || text == NULL
                              ? error_set_memory(error, "the report")
                              : file_write_atomic(path, text, strlen(text), error);
    free(path);
    free(text);
    return status;
}

mneme_status report_file_json(const char *directory, const char *name, json_t *root,
                              mneme_error *error) {
    char *path = path_join(directory, name);
    mneme_status status = path == NULL || root == NULL ? error_set_memory(error, "the report")
                                                       : json_write_file(path, root, error);
    free(path);
    json_decref(root);
    return status;
}
