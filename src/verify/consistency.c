#include "verify/consistency.h"

#include <string.h>

#include "base/file.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "run/scored_run.h"
#include "run/trail.h"
#include "tensor/model_digest.h"

static mneme_status check_scores(const char *folder, mneme_error *error) {
    struct scored_run run = {0};
    TRY(scored_run_load(folder, &run, error));
    return scored_run_check(folder, &run, error);
}

/* The base that lies beside the folder of this trail is the one that the trail ends with. */
static mneme_status check_base(const char *folder, mneme_error *error) {
    struct path trail = path_in(folder, FOLDER_TRAIL);
    struct path model = path_in(path_parent(folder).text, FOLDER_BASE "/" FOLDER_MODEL);
    struct trail_text text;
    struct trail_line line = {0};
    mneme_digest found;
    TRY(trail_text_open(&text, trail.text, error));
    mneme_status status = text.n > 0 ? trail_text_parse(&text, text.n - 1, &line, error) : MNEME_OK;
    trail_text_close(&text);
    TRY(status);
    if (!line.has_digest || !file_exists(model.text)) return MNEME_OK;
    TRY(model_digest_path(model.text, &found, error));
    if (strcmp(found.sha256, line.digest.hex) != 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: has digest %s, but %s ends with %s",
                           model.text, found.sha256, trail.text, line.digest.hex);
    }
    model_digest_free(&found);
    return status;
}

static mneme_status check_manifest(const char *folder, mneme_error *error) {
    return manifest_check(folder, folder, error);
}

/* Calls for the folder of every file of that name. */
static mneme_status for_folders_of(const char *name, const char *path,
                                   mneme_status (*call)(const char *, mneme_error *),
                                   mneme_error *error) {
    struct path_list list;
    TRY(directory_list(path, name, &list, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < list.n && status == MNEME_OK; i++) {
        struct path file = path_in(path, "%s", list.paths[i]);
        const char *slash = strrchr(file.text, '/');
        if (strcmp(slash + 1, name) != 0) continue;
        status = call(path_parent(file.text).text, error);
    }
    path_list_free(&list);
    return status;
}

static mneme_status check_trail(const char *folder, mneme_error *error) {
    const char *slash = strrchr(folder, '/');
    TRY(trail_check_contract(path_in(folder, FOLDER_TRAIL).text, error));
    return slash != NULL && strcmp(slash + 1, FOLDER_PRETRAIN) == 0 ? check_base(folder, error)
                                                                    : MNEME_OK;
}

mneme_status consistency_check(const char *path, mneme_error *error) {
    if (!file_is_directory(path)) return MNEME_OK;
    TRY(for_folders_of(FOLDER_MANIFEST, path, check_manifest, error));
    TRY(for_folders_of(FOLDER_TRAIL, path, check_trail, error));
    return for_folders_of(FOLDER_SCORES, path, check_scores, error);
}
