#include "verify/file_difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "folder/folder.h"
#include "tensor/model_digest.h"

/* How files of a name are compared. */
enum comparison { BY_BYTES, BY_TENSORS, BY_JSON };

static const struct {
    const char *ending;
    enum comparison comparison;
} kinds[] = {
    {FOLDER_SCORES, BY_JSON},     {"report.json", BY_JSON},     {"sweep.json", BY_JSON},
    {".safetensors", BY_TENSORS}, {FOLDER_TOKENIZER, BY_BYTES}, {"config.json", BY_BYTES},
    {FOLDER_ANSWERS, BY_BYTES},   {FOLDER_STREAM, BY_BYTES},    {FOLDER_CELL, BY_BYTES},
    {FOLDER_TRAIL, BY_BYTES},     {"tradeoff.csv", BY_BYTES},   {FOLDER_NEW_QUESTIONS, BY_BYTES}};

/* Members of JSON files that runs of one recipe have differently. */
static const char *const not_of_run[] = {"seconds", "machine", "seconds_per_lesson", "folder"};

static mneme_status note(mneme_trail_difference *d, const char *name, const char *a, const char *b,
                         mneme_error *error) {
    d->differ = true;
    d->file = strdup(name);
    if (asprintf(&d->file_cause, "a %s   b %s", a, b) < 0) d->file_cause = NULL;
    return d->file == NULL || d->file_cause == NULL ? error_set_memory(error, "a comparison")
                                                    : MNEME_OK;
}

static mneme_status compare_bytes(const char *a, const char *b, const char *name,
                                  mneme_trail_difference *d, mneme_error *error) {
    struct digest a_digest, b_digest;
    uint64_t a_length = UINT64_MAX, b_length = UINT64_MAX;
    TRY(digest_of_prefix(a, &a_length, &a_digest, error));
    TRY(digest_of_prefix(b, &b_length, &b_digest, error));
    if (strcmp(a_digest.hex, b_digest.hex) == 0) return MNEME_OK;
    return note(d, name, a_digest.hex, b_digest.hex, error);
}

static mneme_status compare_tensors(const char *a, const char *b, const char *name,
                                    mneme_trail_difference *d, mneme_error *error) {
    mneme_digest a_digest = {0}, b_digest = {0};
    mneme_status status = model_digest_path(a, &a_digest, error);
    THEN(model_digest_path(b, &b_digest, error));
    if (status == MNEME_OK && strcmp(a_digest.sha256, b_digest.sha256) != 0) {
        status = note(d, name, a_digest.sha256, b_digest.sha256, error);
    }
    model_digest_free(&a_digest);
    model_digest_free(&b_digest);
    return status;
}

/* Takes what runs have differently out of all objects. */
static void reduce(json_t *value) {
    const char *key;
    json_t *member;
    size_t i;
    for (i = 0; json_is_object(value) && i < sizeof not_of_run / sizeof *not_of_run; i++) {
        json_object_del(value, not_of_run[i]);
    }
    json_object_foreach(value, key, member) {
        reduce(member);
    }
    json_array_foreach(value, i, member) {
        reduce(member);
    }
}

/* The first member at which two values differ, as "NAME: KEY.KEY"; their own values in *a, *b. */
static struct path descend(struct path at, const json_t **a, const json_t **b) {
    const char *key;
    json_t *member;
    if (!json_is_object(*a) || !json_is_object(*b)) return at;
    json_object_foreach((json_t *)(uintptr_t)*a, key, member) {
        const json_t *other = json_object_get(*b, key);
        if (json_equal(member, (json_t *)(uintptr_t)other)) continue;
        *a = member;
        *b = other;
        return descend(path_in("", "%s %s", at.text, key), a, b);
    }
    return at;
}

static mneme_status tell_members(const json_t *a, const json_t *b, const char *name,
                                 mneme_trail_difference *d, mneme_error *error) {
    struct path place = descend(path_in("", "%s:", name), &a, &b);
    const size_t flags = JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17);
    char *a_text = json_print(a, flags), *b_text = b == NULL ? NULL : json_print(b, flags);
    mneme_status status = note(d, place.text, a_text == NULL ? "nothing" : a_text,
                               b_text == NULL ? "nothing" : b_text, error);
    free(a_text);
    free(b_text);
    return status;
}

static mneme_status compare_json(const char *a, const char *b, const char *name,
                                 mneme_trail_difference *d, mneme_error *error) {
    json_t *a_root = NULL, *b_root = NULL;
    mneme_status status = json_read_file(a, JSON_MAX_BYTES, &a_root, error);
    THEN(json_read_file(b, JSON_MAX_BYTES, &b_root, error));
    reduce(a_root);
    reduce(b_root);
    if (status == MNEME_OK && !json_equal(a_root, b_root)) {
        status = tell_members(a_root, b_root, name, d, error);
    }
    json_decref(a_root);
    json_decref(b_root);
    return status;
}

static bool ends_in(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    if (n < m || strcmp(name + n - m, ending) != 0) return false;
    return ending[0] == '.' || n == m || name[n - m - 1] == '/';
}

static mneme_status compare_file(const char *a, const char *b, const char *name,
                                 mneme_trail_difference *d, mneme_error *error) {
    struct path a_path = path_in(a, "%s", name), b_path = path_in(b, "%s", name);
    size_t kind = 0;
    while (kind < sizeof kinds / sizeof *kinds && !ends_in(name, kinds[kind].ending)) kind++;
    if (kind == sizeof kinds / sizeof *kinds || !file_exists(b_path.text)) return MNEME_OK;
    d->n_files++;
    switch (kinds[kind].comparison) {
        case BY_TENSORS:
            return compare_tensors(a_path.text, b_path.text, name, d, error);
        case BY_JSON:
            return compare_json(a_path.text, b_path.text, name, d, error);
        default:
            return compare_bytes(a_path.text, b_path.text, name, d, error);
    }
}

mneme_status file_difference_find(const char *a, const char *b, mneme_trail_difference *difference,
                                  mneme_error *error) {
    struct path_list list;
    TRY(directory_list(a, "", &list, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < list.n && status == MNEME_OK && !difference->differ; i++) {
        status = compare_file(a, b, list.paths[i], difference, error);
    }
    path_list_free(&list);
    return status;
}
