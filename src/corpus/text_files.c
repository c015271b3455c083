#include "corpus/text_files.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

static const char *const text_endings[] = {".txt",   ".text",   ".md", ".json",
                                           ".jsonl", ".ndjson", NULL};
static const char *const packed_endings[] = {".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", NULL};

/* The ending that the first `length` bytes of a name have, or NULL. */
static const char *ending_of(const char *name, size_t length, const char *const *endings) {
    for (; *endings != NULL; endings++) {
        size_t n = strlen(*endings);
        if (length > n && strncasecmp(name + length - n, *endings, n) == 0) return *endings;
    }
    return NULL;
}

/* Whether it is a text's name with a compressed file's ending. */
static bool is_packed(const char *name) {
    const char *packed = ending_of(name, strlen(name), packed_endings);
    return packed != NULL && ending_of(name, strlen(name) - strlen(packed), text_endings) != NULL;
}

static mneme_status add(struct text_files *files, const char *path, mneme_error *error) {
    TRY(memory_grow((void **)&files->paths, &files->capacity, files->n + 1, sizeof *files->paths,
                    "a list of files", error));
    files->paths[files->n] = strdup(path);
    return files->paths[files->n++] == NULL ? error_set_memory(error, "a list of files") : MNEME_OK;
}

/* A file of a folder: is taken, refused or passed over. */
static mneme_status add_of_folder(struct text_files *files, const char *path, mneme_error *error) {
    if (ending_of(path, strlen(path), text_endings) != NULL) return add(files, path, error);
    if (is_packed(path)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: is compressed; unpack it first", path);
    }
    if (files->n_passed_over++ > 0) return MNEME_OK;
    files->passed_over = strdup(path);
    return files->passed_over == NULL ? error_set_memory(error, "a list of files") : MNEME_OK;
}

static mneme_status add_folder(struct text_files *files, const char *folder, mneme_error *error) {
    struct path_list list;
    const size_t before = files->n;
    TRY(directory_list(folder, NULL, &list, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < list.n && status == MNEME_OK; i++) {
        status = add_of_folder(files, path_in(folder, "%s", list.paths[i]).text, error);
    }
    path_list_free(&list);
    if (status != MNEME_OK || files->n > before) return status;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: the folder has no file of text: none ends in .txt, .text, .md, .json, "
                     ".jsonl or .ndjson",
                     folder);
}

static mneme_status add_source(struct text_files *files, const char *source, mneme_error *error) {
    if (file_is_directory(source)) return add_folder(files, source, error);
    return add(files, source, error);
}

mneme_status text_files_find(const char *const *sources, size_t n_sources, struct text_files *files,
                             mneme_error *error) {
    *files = (struct text_files){0};
    for (size_t i = 0; i < n_sources; i++) {
        mneme_status status = add_source(files, sources[i], error);
        if (status == MNEME_OK) continue;
        text_files_free(files);
        return status;
    }
    return MNEME_OK;
}

void text_files_free(struct text_files *files) {
    for (size_t i = 0; i < files->n; i++) free(files->paths[i]);
    free(files->paths);
    free(files->passed_over);
    *files = (struct text_files){0};
}

static mneme_status digest_file(const char *path, struct digest *digest, mneme_error *error) {
    uint64_t length = UINT64_MAX;
    return digest_of_prefix(path, &length, digest, error);
}

/* Adds the digests of all files. */
static mneme_status digest_files(const struct text_files *files, struct digest_stream *stream,
                                 mneme_error *error) {
    for (size_t i = 0; i < files->n; i++) {
        struct digest of_file;
        TRY(digest_file(files->paths[i], &of_file, error));
        TRY(digest_update(stream, of_file.hex, strlen(of_file.hex), error));
        TRY(digest_update(stream, "\n", 1, error));
    }
    return MNEME_OK;
}

mneme_status text_files_digest(const char *source, struct digest *digest, mneme_error *error) {
    struct text_files files;
    struct digest_stream stream = {0};
    if (!file_is_directory(source)) return digest_file(source, digest, error);
    TRY(text_files_find(&source, 1, &files, error));
    mneme_status status = digest_open(&stream, error);
    THEN(digest_files(&files, &stream, error));
    THEN(digest_finish(&stream, digest, error));
    digest_close(&stream);
    text_files_free(&files);
    return status;
}

mneme_status text_files_bytes(const char *const *sources, size_t n_sources, uint64_t *bytes,
                              mneme_error *error) {
    struct text_files files = {0};
    struct stat found;
    *bytes = 0;
    mneme_status status = text_files_find(sources, n_sources, &files, error);
    for (size_t i = 0; i < files.n && status == MNEME_OK; i++) {
        if (stat(files.paths[i], &found) == 0) *bytes += (uint64_t)found.st_size;
    }
    text_files_free(&files);
    return status;
}
