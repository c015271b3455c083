#include "folder/checkpoint_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

struct path checkpoint_files_path(const char *folder, size_t step) {
    return path_in(folder, "checkpoint-%08zu.safetensors", step);
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
    TRY(directory_list(folder, ".safetensors", &list, error));
    for (size_t i = 0; i < list.n; i++) {
        size_t found;
        if (parse(list.paths[i], &found) && found <= most && found > *step) *step = found;
    }
    path_list_free(&list);
    return MNEME_OK;
}

mneme_status checkpoint_files_remove_before(const char *folder, size_t step, mneme_error *error) {
    struct path_list list;
    TRY(directory_list(folder, ".safetensors", &list, error));
    for (size_t i = 0; i < list.n; i++) {
        size_t found;
        if (!parse(list.paths[i], &found) || found >= step) continue;
        unlink(path_in(folder, "%s", list.paths[i]).text);
    }
    path_list_free(&list);
    return MNEME_OK;
}
