/* Files against SHA256SUMS, and the tokenizer against one that is learned again. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "verify/verifying.h"

static mneme_status verify_file(struct verifying *v, const struct manifest_line *line,
                                mneme_error *error) {
    struct path path = path_in(v->directory.text, "%s", line->name);
    struct digest found;
    uint64_t length = UINT64_MAX;
    if (!file_exists(path.text)) {
        return verifying_differ(v, line->name, 0, line->hex, "no such file", error);
    }
    TRY(digest_of_prefix(path.text, &length, &found, error));
    if (strcmp(found.hex, line->hex) == 0) return MNEME_OK;
    return verifying_differ(v, line->name, 0, line->hex, found.hex, error);
}

/* Whether the file belongs to a run folder below this one. */
static bool is_of_another(const struct verifying *v, const char *name) {
    const char *slash = strchr(name, '/');
    if (slash == NULL) return false;
    struct path below =
        path_in(v->directory.text, "%.*s/" FOLDER_MANIFEST, (int)(slash - name), name);
    return file_exists(below.text);
}

/* Files that a killed process left, and what others put there. */
static mneme_status tell_unlisted(struct verifying *v, const struct manifest *manifest,
                                  mneme_error *error) {
    struct path_list list;
    const char *first = NULL;
    size_t n = 0;
    TRY(directory_list(v->directory.text, "", &list, error));
    for (size_t i = 0; i < list.n; i++) {
        const char *name = list.paths[i];
        if (manifest_passes_over(name) || manifest_find(manifest, name) != NULL) continue;
        if (is_of_another(v, name)) continue;
        if (n++ == 0) first = name;
    }
    mneme_status status =
        n == 0 ? MNEME_OK
               : verifying_pass_over(v, error, "files that are not in " FOLDER_MANIFEST ": %s%s",
                                     first, n > 1 ? " and others" : "");
    path_list_free(&list);
    return status;
}

mneme_status verify_files(struct verifying *v, mneme_error *error) {
    struct manifest manifest;
    if (!verifying_wants(v, "files")) return MNEME_OK;
    TRY(verifying_begin(v, "files", error));
    TRY(manifest_read(v->directory.text, &manifest, error));
    v->stage->last = manifest.n;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < manifest.n; i++) THEN(verify_file(v, &manifest.lines[i], error));
    if (manifest.there) THEN(tell_unlisted(v, &manifest, error));
    if (!manifest.there) {
        THEN(verifying_pass_over(
            v, error, "the folder has no " FOLDER_MANIFEST ": an earlier version made it"));
    }
    manifest_free(&manifest);
    return status;
}

/* The text of the file that the tokenizer would be saved in. */
static mneme_status print_tokenizer(const struct tokenizer *tokenizer, char **text,
                                    mneme_error *error) {
    const char *temporary = getenv("TMPDIR");
    struct path path = path_in(temporary == NULL ? "/tmp" : temporary, "mneme-tokenizer-XXXXXX");
    int descriptor = mkstemp(path.text);
    size_t length;
    if (descriptor < 0) return error_set_errno(error, path.text, "cannot write");
    close(descriptor);
    mneme_status status = tokenizer_save(tokenizer, path.text, error);
    THEN(file_read(path.text, SIZE_MAX / 2, text, &length, error));
    unlink(path.text);
    return status;
}

mneme_status verify_tokenizer(struct verifying *v, mneme_error *error) {
    struct tokenizer *learned = NULL;
    char *text = NULL;
    if (!verifying_wants(v, "tokenizer")) return MNEME_OK;
    TRY(verifying_begin(v, "tokenizer", error));
    v->stage->last = 1;
    mneme_status status = experiment_make_tokenizer(&v->experiment, &learned, error);
    THEN(print_tokenizer(learned, &text, error));
    THEN(verifying_compare_file(v, FOLDER_TOKENIZER, text, error));
    free(text);
    tokenizer_free(learned);
    return status;
}
