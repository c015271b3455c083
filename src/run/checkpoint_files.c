#include "run/checkpoint_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"

char *checkpoint_files_path(const char *folder, size_t step) {
    char name[64];
    snprintf(name, sizeof name, "checkpoint-%08zu.safetensors", step);
    return path_join(folder, name);
}

/* The step of a file's name; false for another file. */
static bool parse(const char *name, size_t *step) {
    static const char prefix[] = "checkpoint-";
    char *end;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0) return false;
    errno = 0;
    *step = strtoull(name + sizeof prefix - 1, &end, 10);
    return errno == 0 && end != name + sizeof prefix - 1 && strcmp(end, ".safetensors") == 0;
}

mneme_status checkpoint_files_last(const char *folder, size_t most, size_t *step,
                                   mneme_error *error) {
    struct path_list list;
    *step = 0;
    if (!file_is_directory(folder)) return MNEME_OK;
    mneme_status status = directory_list(folder, ".safetensors", &list, error);
    if (status != MNEME_OK) return status;
    for (size_t i = 0; i < list.n; i++) {
        size_t found;
        if (parse(list.paths[i], &found) && found <= most && found > *step) *step = found;
    }
    path_list_free(&list);
    return MNEME_OK;
}

mneme_status checkpoint_files_remove_before(const char *folder, size_t step, mneme_error *error) {
    struct path_list list;
    mneme_status status = directory_list(folder, ".safetensors", &list, error);
    if (status != MNEME_OK) return status;
    for (size_t i = 0; i < list.n; i++) {
        size_t found;
        if (!parse(list.paths[i], &found) || found >= step) continue;
        char *path = path_join(folder, list.paths[i]);
        if (path != NULL) unlink(path);
        free(path);
    }
    path_list_free(&list);
    return MNEME_OK;
}
