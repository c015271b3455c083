#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

/* Folders nested deeper than this are not a model's. */
#define MAX_DEPTH 32

/* Writes what a format makes, cut at the size: a path that is cut is longer than any file's. */
static void write_path(struct path *path, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path->text, sizeof path->text, format, arguments);
    va_end(arguments);
}

struct path path_in(const char *folder, const char *format, ...) {
    struct path name, path;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name.text, sizeof name.text, format, arguments);
    va_end(arguments);
    size_t length = strlen(folder);
    if (length == 0 || name.text[0] == '/') return name;
    const char *slash = folder[length - 1] == '/' ? "" : "/";
    write_path(&path, "%s%s%s", folder, slash, name.text);
    return path;
}

struct path path_parent(const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    return path_in("", "%.*s", (int)length, slash == NULL ? "." : path);
}

/* Makes one folder whose parent exists. */
static mneme_status make_one(const char *path, mneme_error *error) {
    if (mkdir(path, 0777) == 0) return MNEME_OK;
    struct stat facts;
    int code = errno;
    if (code == EEXIST && stat(path, &facts) == 0) {
        if (S_ISDIR(facts.st_mode)) return MNEME_OK;
        return error_set(error, MNEME_BAD_INPUT, "%s: is not a directory", path);
    }
    errno = code;
    return error_set_errno(error, path, "cannot make the directory");
}

mneme_status directory_make(const char *path, mneme_error *error) {
    if (path[0] == '\0') return error_set(error, MNEME_BAD_INPUT, "no name for the directory");
    struct path partial = path_in("", "%s", path);
    for (char *slash = partial.text; (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        TRY(make_one(partial.text, error));
        *slash = '/';
    }
    return make_one(partial.text, error);
}

/* Without a suffix every name will do. */
static bool has_suffix(const char *name, const char *suffix) {
    if (suffix == NULL) return true;
    size_t n_name = strlen(name), n_suffix = strlen(suffix);
    return n_name >= n_suffix && strcmp(name + n_name - n_suffix, suffix) == 0;
}

static mneme_status list_add(struct path_list *list, const char *path, mneme_error *error) {
    TRY(memory_grow((void **)&list->paths, &list->capacity, list->n + 1, sizeof *list->paths,
                    "a list of files", error));
    list->paths[list->n] = strdup(path);
    return list->paths[list->n++] == NULL ? error_set_memory(error, "a list of files") : MNEME_OK;
}

static mneme_status list_below(const char *root, const char *relative, const char *suffix,
                               size_t depth, struct path_list *list, mneme_error *error);

/* Takes one entry, adding a file and descending into a folder. */
static mneme_status list_entry(const char *root, const char *relative, const char *suffix,
                               size_t depth, struct path_list *list, mneme_error *error) {
    struct path full = path_in(root, "%s", relative);
    struct stat facts, target;
    if (lstat(full.text, &facts) != 0 || stat(full.text, &target) != 0) {
        if (!has_suffix(relative, suffix)) return MNEME_OK;
        return error_set_errno(error, full.text, "cannot open");
    }
    if (S_ISDIR(facts.st_mode)) return list_below(root, relative, suffix, depth + 1, list, error);
    if (!S_ISREG(target.st_mode) || !has_suffix(relative, suffix)) return MNEME_OK;
    return list_add(list, relative, error);
}

/* The folder itself, the one above, and what is hidden where that is not asked for. */
static bool is_passed_over(const char *name, const char *suffix) {
    if (suffix == NULL) return name[0] == '.';
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static mneme_status list_below(const char *root, const char *relative, const char *suffix,
                               size_t depth, struct path_list *list, mneme_error *error) {
    struct path folder = path_in(root, "%s", relative);
    if (depth > MAX_DEPTH) {
        return error_set(error, MNEME_BAD_INPUT, "%s: folders nested too deep", folder.text);
    }
    DIR *entries = opendir(folder.text);
    if (entries == NULL) {
        mneme_status wrong = errno == ENOENT || errno == ENOTDIR ? MNEME_BAD_INPUT : MNEME_FAILED;
        return error_set(error, wrong, "%s: cannot open the directory: %s", folder.text,
                         strerror(errno));
    }
    mneme_status status = MNEME_OK;
    struct dirent *entry;
    while (status == MNEME_OK && (errno = 0, entry = readdir(entries)) != NULL) {
        if (is_passed_over(entry->d_name, suffix)) continue;
        struct path below = path_in(relative, "%s", entry->d_name);
        status = list_entry(root, below.text, suffix, depth, list, error);
    }
    if (status == MNEME_OK && errno != 0) {
        status = error_set_errno(error, folder.text, "cannot read the directory");
    }
    closedir(entries);
    return status;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

mneme_status directory_list(const char *folder, const char *suffix, struct path_list *list,
                            mneme_error *error) {
    *list = (struct path_list){0};
    mneme_status status = list_below(folder, "", suffix, 0, list, error);
    if (status != MNEME_OK) {
        path_list_free(list);
        return status;
    }
    if (list->n > 1) qsort(list->paths, list->n, sizeof(char *), compare_paths);
    return MNEME_OK;
}

void path_list_free(struct path_list *list) {
    for (size_t i = 0; i < list->n; i++) free(list->paths[i]);
    free(list->paths);
    *list = (struct path_list){0};
}
