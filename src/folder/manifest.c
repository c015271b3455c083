#include "folder/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/version.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "folder/folder.h"
#include "recipe/identity.h"

#define MAX_MANIFEST_BYTES ((size_t)1 << 28)
#define HEAD "# mneme, contract "
#define FOOT "# SHA-256 of the lines above: "
#define HEX 64

static struct path path_of(const char *directory) {
    return path_in(directory, FOLDER_MANIFEST);
}

static mneme_status refuse(const char *directory, const char *cause, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: is damaged: %s", path_of(directory).text, cause);
}

static mneme_status add_line(struct manifest *manifest, const char *hex, const char *name,
                             mneme_error *error) {
    TRY(memory_grow((void **)&manifest->lines, &manifest->capacity, manifest->n + 1,
                    sizeof *manifest->lines, "the list of files", error));
    struct manifest_line *line = &manifest->lines[manifest->n];
    snprintf(line->hex, sizeof line->hex, "%.*s", HEX, hex);
    line->name = strdup(name);
    if (line->name == NULL) return error_set_memory(error, "the list of files");
    manifest->n++;
    return MNEME_OK;
}

static mneme_status check_head(const char *directory, const char *bytes, mneme_error *error) {
    if (strncmp(bytes, HEAD, sizeof HEAD - 1) != 0) {
        return refuse(directory, "its first line is another", error);
    }
    const long contract = strtol(bytes + sizeof HEAD - 1, NULL, 10);
    if (contract == MNEME_CONTRACT_VERSION) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: the folder was made under contract %ld, this version keeps to %d",
                     path_of(directory).text, contract, MNEME_CONTRACT_VERSION);
}

/* The last line is the digest of all before it, of which there are *length bytes. */
static mneme_status check_foot(const char *directory, const char *bytes, size_t *length,
                               mneme_error *error) {
    const size_t foot = sizeof FOOT - 1 + HEX + 1;
    struct digest digest;
    if (*length < foot || strlen(bytes) != *length) {
        return refuse(directory, "it has no digest of itself", error);
    }
    *length -= foot;
    const char *last = bytes + *length;
    TRY(digest_of_bytes(bytes, *length, &digest, error));
    if (strncmp(last, FOOT, sizeof FOOT - 1) == 0 && last[foot - 1] == '\n' &&
        strncmp(last + sizeof FOOT - 1, digest.hex, HEX) == 0) {
        return MNEME_OK;
    }
    return refuse(directory, "its last line is not the digest of the lines above", error);
}

/* "HEX  NAME" for each file. */
static mneme_status read_lines(const char *directory, char *bytes, struct manifest *manifest,
                               mneme_error *error) {
    char *rest = bytes;
    strtok_r(rest, "\n", &rest);
    for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        if (strlen(line) <= HEX + 2 || line[HEX] != ' ') {
            return refuse(directory, "it has a line that is none", error);
        }
        TRY(add_line(manifest, line, line + HEX + 2, error));
    }
    return MNEME_OK;
}

mneme_status manifest_read(const char *directory, struct manifest *manifest, mneme_error *error) {
    struct path path = path_of(directory);
    char *bytes;
    size_t length;
    *manifest = (struct manifest){0};
    if (!file_exists(path.text)) return MNEME_OK;
    TRY(file_read(path.text, MAX_MANIFEST_BYTES, &bytes, &length, error));
    mneme_status status = check_head(directory, bytes, error);
    THEN(check_foot(directory, bytes, &length, error));
    bytes[length] = '\0';
    THEN(read_lines(directory, bytes, manifest, error));
    manifest->there = true;
    free(bytes);
    if (status != MNEME_OK) manifest_free(manifest);
    return status;
}

void manifest_free(struct manifest *manifest) {
    for (size_t i = 0; i < manifest->n; i++) free(manifest->lines[i].name);
    free(manifest->lines);
    *manifest = (struct manifest){0};
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct manifest_line *)a)->name, ((const struct manifest_line *)b)->name);
}

static int compare_name(const void *key, const void *line) {
    return strcmp(key, ((const struct manifest_line *)line)->name);
}

const struct manifest_line *manifest_find(const struct manifest *manifest, const char *name) {
    if (manifest->n == 0) return NULL;
    return bsearch(name, manifest->lines, manifest->n, sizeof *manifest->lines, compare_name);
}

static mneme_status write(const char *directory, struct manifest *manifest, mneme_error *error) {
    struct text text = {0};
    struct digest digest;
    if (manifest->n > 1) qsort(manifest->lines, manifest->n, sizeof *manifest->lines, by_name);
    text_add(&text, HEAD "%d\n", MNEME_CONTRACT_VERSION);
    for (size_t i = 0; i < manifest->n; i++) {
        text_add(&text, "%s  %s\n", manifest->lines[i].hex, manifest->lines[i].name);
    }
    if (text.failed) return error_set_memory(error, "the list of files");
    TRY(digest_of_bytes(text.bytes, text.length, &digest, error));
    text_add(&text, FOOT "%s\n", digest.hex);
    size_t length = text.length;
    char *bytes = text_take(&text);
    if (bytes == NULL) return error_set_memory(error, "the list of files");
    mneme_status status = file_write_atomic(path_of(directory).text, bytes, length, error);
    free(bytes);
    return status;
}

/* The path without the directory's. */
static const char *name_in(const char *directory, const char *path) {
    const size_t length = strlen(directory);
    if (strncmp(path, directory, length) == 0) path += length;
    while (length > 0 && *path == '/') path++;
    return path;
}

/* Whether the name is the path's or that of a file below it. */
static bool is_at(const char *name, const char *at) {
    const size_t length = strlen(at);
    return length == 0 ||
           (strncmp(name, at, length) == 0 && (name[length] == '\0' || name[length] == '/'));
}

/* Whether there was a line. */
static bool take_away(struct manifest *manifest, const char *at) {
    size_t kept = 0;
    for (size_t i = 0; i < manifest->n; i++) {
        if (is_at(manifest->lines[i].name, at)) {
            free(manifest->lines[i].name);
        } else {
            manifest->lines[kept++] = manifest->lines[i];
        }
    }
    bool found = kept < manifest->n;
    manifest->n = kept;
    return found;
}

bool manifest_passes_over(const char *name) {
    static const char partial[] = ".partial";
    size_t length = strlen(name);
    return strcmp(name, FOLDER_MANIFEST) == 0 || strcmp(name, IDENTITY_INPUTS) == 0 ||
           strcmp(name, FOLDER_LOCK) == 0 ||
           (length > sizeof partial && strcmp(name + length - (sizeof partial - 1), partial) == 0);
}

static mneme_status sign_file(struct manifest *manifest, const char *directory, const char *name,
                              mneme_error *error) {
    struct digest digest;
    uint64_t length = UINT64_MAX;
    if (manifest_passes_over(name)) return MNEME_OK;
    TRY(digest_of_prefix(path_in(directory, "%s", name).text, &length, &digest, error));
    return add_line(manifest, digest.hex, name, error);
}

static mneme_status sign_folder(struct manifest *manifest, const char *directory, const char *at,
                                mneme_error *error) {
    struct path_list list;
    TRY(directory_list(path_in(directory, "%s", at).text, "", &list, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < list.n && status == MNEME_OK; i++) {
        status = sign_file(manifest, directory, path_in(at, "%s", list.paths[i]).text, error);
    }
    path_list_free(&list);
    return status;
}

static mneme_status sign(struct manifest *manifest, const char *directory, const char *path,
                         mneme_error *error) {
    const char *name = name_in(directory, path);
    take_away(manifest, name);
    if (file_is_directory(path)) return sign_folder(manifest, directory, name, error);
    return file_exists(path) ? sign_file(manifest, directory, name, error) : MNEME_OK;
}

mneme_status manifest_begin(const char *directory, mneme_error *error) {
    struct manifest manifest = {0};
    return file_exists(path_of(directory).text) ? MNEME_OK : write(directory, &manifest, error);
}

mneme_status manifest_adopt(const char *directory, mneme_error *error) {
    struct manifest manifest = {0};
    mneme_status status = sign_folder(&manifest, directory, "", error);
    THEN(write(directory, &manifest, error));
    manifest_free(&manifest);
    return status;
}

mneme_status manifest_forget(const char *directory, const char *const *paths, size_t n,
                             mneme_error *error) {
    struct manifest manifest;
    bool changed = false;
    TRY(manifest_read(directory, &manifest, error));
    for (size_t i = 0; i < n; i++) changed |= take_away(&manifest, name_in(directory, paths[i]));
    mneme_status status = changed ? write(directory, &manifest, error) : MNEME_OK;
    manifest_free(&manifest);
    return status;
}

mneme_status manifest_sign(const char *directory, const char *const *paths, size_t n,
                           mneme_error *error) {
    struct manifest manifest;
    TRY(manifest_read(directory, &manifest, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && manifest.there; i++) {
        THEN(sign(&manifest, directory, paths[i], error));
    }
    if (manifest.there) THEN(write(directory, &manifest, error));
    manifest_free(&manifest);
    return status;
}

static mneme_status check_file(const char *directory, const struct manifest_line *line,
                               mneme_error *error) {
    struct path path = path_in(directory, "%s", line->name);
    struct digest digest;
    uint64_t length = UINT64_MAX;
    TRY(digest_of_prefix(path.text, &length, &digest, error));
    if (strcmp(digest.hex, line->hex) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: is damaged or was changed: " FOLDER_MANIFEST " has another digest of it",
                     path.text);
}

/* Those at the path; files that are not there any more have nothing to be read back. */
static mneme_status check(const struct manifest *manifest, const char *directory, const char *path,
                          mneme_error *error) {
    const char *at = name_in(directory, path);
    for (size_t i = 0; i < manifest->n; i++) {
        const struct manifest_line *line = &manifest->lines[i];
        if (!is_at(line->name, at)) continue;
        if (!file_exists(path_in(directory, "%s", line->name).text)) continue;
        TRY(check_file(directory, line, error));
    }
    if (file_is_directory(path) || manifest_find(manifest, at) != NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: is not in " FOLDER_MANIFEST, path);
}

mneme_status manifest_check(const char *directory, const char *path, mneme_error *error) {
    struct manifest manifest;
    TRY(manifest_read(directory, &manifest, error));
    mneme_status status = manifest.there ? check(&manifest, directory, path, error) : MNEME_OK;
    manifest_free(&manifest);
    return status;
}

bool manifest_holds(const char *directory, const char *path) {
    struct manifest manifest;
    if (!file_exists(path) || manifest_read(directory, &manifest, NULL) != MNEME_OK) return false;
    bool holds = !manifest.there || manifest_find(&manifest, name_in(directory, path)) != NULL;
    manifest_free(&manifest);
    return holds;
}
