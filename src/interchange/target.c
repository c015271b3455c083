#include "interchange/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define PARTIAL ".partial"

/* What a model's folder may hold to be replaced. */
static bool is_of_model(const char *name, bool when_partial) {
    static const char *const names[] = {
        "config.json",           "model.safetensors",       "tokenizer.json",
        "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
        "chat_template.jinja",   "adapter_config.json",     "adapter_model.safetensors",
        "background.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(name, names[i], length) != 0) continue;
        if (name[length] == '\0' || (when_partial && strcmp(name + length, PARTIAL) == 0)) {
            return true;
        }
    }
    return false;
}

/* Called for each entry of a folder but "." and ".."; any status but MNEME_OK ends the walk. */
typedef mneme_status visit_entry(const char *folder, const char *name, const void *context,
                                 mneme_error *error);

static mneme_status visit_entries(const char *folder, visit_entry *visit, const void *context,
                                  mneme_error *error) {
    DIR *entries = opendir(folder);
    if (entries == NULL) return error_set_errno(error, folder, "cannot open the directory");
    mneme_status status = MNEME_OK;
    const struct dirent *entry;
    while (status == MNEME_OK && (entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = visit(folder, entry->d_name, context, error);
    }
    closedir(entries);
    return status;
}

static mneme_status refuse_entry(const char *folder, const char *name, const void *context,
                                 mneme_error *error) {
    (void)context;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: already holds %s: name a new folder (--force replaces a model)", folder,
                     name);
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* context: the struct stat of a file that would be replaced. */
static mneme_status refuse_same(const char *folder, const char *name, const void *context,
                                mneme_error *error) {
    struct path path = path_in(folder, "%s", name);
    struct stat facts;
    if (stat(path.text, &facts) != 0 || !is_same(&facts, context)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: is a file of the folder that would be replaced",
                     path.text);
}

/* A file that would be replaced is none of the source's, which may be links. */
static mneme_status check_apart(const char *source, const struct stat *file, mneme_error *error) {
    if (source == NULL) return MNEME_OK;
    if (file_is_directory(source)) return visit_entries(source, refuse_same, file, error);
    return refuse_same("", source, file, error);
}

/* context: the sources. */
static mneme_status check_replaced(const char *folder, const char *name, const void *context,
                                   mneme_error *error) {
    const char *const *sources = context;
    struct path path = path_in(folder, "%s", name);
    struct stat own, facts;
    if (!is_of_model(name, false) || lstat(path.text, &own) != 0 || S_ISDIR(own.st_mode)) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: holds %s, which is no file of a model: it is not replaced", folder,
                         name);
    }
    if (stat(path.text, &facts) != 0) return MNEME_OK; /* a link to nothing */
    TRY(check_apart(sources[0], &facts, error));
    return check_apart(sources[1], &facts, error);
}

/* The folder is neither the source nor where the source lies. */
static mneme_status check_source(const char *folder, const struct stat *facts, const char *source,
                                 mneme_error *error) {
    struct stat other;
    if (source == NULL || stat(source, &other) != 0) return MNEME_OK;
    struct path parent = path_parent(source);
    bool is_file = !S_ISDIR(other.st_mode);
    if (is_file && stat(parent.text, &other) != 0) return MNEME_OK;
    if (!is_same(facts, &other)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: is the folder that is read", folder);
}

/* What is at the folder's place may give way. */
static mneme_status check_folder(struct target *target, const char *folder,
                                 const char *const sources[2], bool replace, mneme_error *error) {
    struct stat facts;
    if (stat(folder, &facts) != 0) {
        if (errno != ENOENT || lstat(folder, &facts) != 0) return MNEME_OK;
        return error_set(error, MNEME_BAD_INPUT, "%s: is a link to nothing", folder);
    }
    if (!S_ISDIR(facts.st_mode)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: is not a directory", folder);
    }
    TRY(check_source(folder, &facts, sources[0], error));
    TRY(check_source(folder, &facts, sources[1], error));
    if (!replace) return visit_entries(folder, refuse_entry, NULL, error);
    target->replaces = true;
    return visit_entries(folder, check_replaced, sources, error);
}

/* The folder's path without links: its own, or that of the folder it will be in and its name. */
static mneme_status resolve(struct target *target, const char *folder, mneme_error *error) {
    char whole[PATH_MAX];
    struct path given = path_in("", "%s", folder);
    for (size_t n = strlen(given.text); n > 1 && given.text[n - 1] == '/'; n--) {
        given.text[n - 1] = '\0';
    }
    if (realpath(given.text, whole) != NULL) {
        target->folder = path_in("", "%s", whole);
        return MNEME_OK;
    }
    struct path parent = path_parent(given.text);
    const char *slash = strrchr(given.text, '/'), *name = slash == NULL ? given.text : slash + 1;
    TRY(directory_make(parent.text, error));
    if (realpath(parent.text, whole) == NULL) {
        return error_set_errno(error, parent.text, "cannot open the directory");
    }
    target->folder = path_in(whole, "%s", name);
    return MNEME_OK;
}

/* Removes a model's file of a folder that was being made. */
static mneme_status remove_entry(const char *folder, const char *name, const void *context,
                                 mneme_error *error) {
    (void)context;
    struct path path = path_in(folder, "%s", name);
    if (!is_of_model(name, true)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: holds %s: remove it first", folder, name);
    }
    return unlink(path.text) == 0 ? MNEME_OK : error_set_errno(error, path.text, "cannot remove");
}

/* Makes the folder to build in, or takes over the one of a process that was killed. */
static mneme_status open_building(struct target *target, mneme_error *error) {
    const char *path = target->building.text;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        return error_set_errno(error, path, "cannot make the directory");
    }
    target->lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target->lock < 0) return error_set_errno(error, path, "cannot open the directory");
    if (flock(target->lock, LOCK_EX | LOCK_NB) != 0) {
        close(target->lock);
        return error_set(error, MNEME_BAD_INPUT, "%s: another process is writing it", path);
    }
    mneme_status status = visit_entries(path, remove_entry, NULL, error);
    if (status != MNEME_OK) close(target->lock);
    target->is_open = status == MNEME_OK;
    return status;
}

mneme_status target_open(struct target *target, const char *folder, const char *const sources[2],
                         bool replace, mneme_error *error) {
    *target = (struct target){0};
    if (folder[0] == '\0') return error_set(error, MNEME_BAD_INPUT, "no name for the folder");
    TRY(check_folder(target, folder, sources, replace, error));
    TRY(resolve(target, folder, error));
    target->building = path_in("", "%s" PARTIAL, target->folder.text);
    return open_building(target, error);
}

/* Removes the folder that was being made, or that gave way. */
static mneme_status remove_building(const struct target *target, mneme_error *error) {
    const char *path = target->building.text;
    TRY(visit_entries(path, remove_entry, NULL, error));
    return rmdir(path) == 0 ? MNEME_OK : error_set_errno(error, path, "cannot remove");
}

static mneme_status sync_parent(const struct target *target, mneme_error *error) {
    struct path parent = path_parent(target->folder.text);
    int fd = open(parent.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return MNEME_OK;
    bool synced = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return synced ? MNEME_OK : error_set_errno(error, parent.text, "cannot sync the folder");
}

mneme_status target_finish(struct target *target, mneme_error *error) {
    const char *building = target->building.text, *folder = target->folder.text;
    unsigned how = target->replaces ? RENAME_EXCHANGE : 0;
    if (fsync(target->lock) != 0 && errno != EINVAL) {
        return error_set_errno(error, building, "cannot sync the folder");
    }
    int failed =
        how == 0 ? rename(building, folder) : renameat2(AT_FDCWD, building, AT_FDCWD, folder, how);
    if (failed != 0) return error_set_errno(error, folder, "cannot write");
    close(target->lock);
    target->is_open = false;
    mneme_status status = sync_parent(target, error);
    if (target->replaces) THEN(remove_building(target, error));
    return status;
}

void target_close(struct target *target) {
    mneme_error ignored;
    if (!target->is_open) return;
    remove_building(target, &ignored);
    close(target->lock);
    target->is_open = false;
}
