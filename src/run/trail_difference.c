#include "run/trail_difference.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "run/trail.h"
#include "tensor/value_pair.h"

/* One stage of both runs. */
struct stage_pair {
    char *a_path, *b_path; /* of the trails */
    struct trail_text a, b;
};

static void add_field(mneme_trail_difference *d, const char *name, float a, float b) {
    uint32_t a_bits, b_bits;
    memcpy(&a_bits, &a, sizeof a_bits);
    memcpy(&b_bits, &b, sizeof b_bits);
    if (a_bits == b_bits) return;
    d->fields[d->n_fields].name = name;
    d->fields[d->n_fields++].value = value_pair(TENSOR_F32, &a, &b);
}

/* What differs between two lines of the same step. */
static mneme_status compare_lines(const struct stage_pair *pair, size_t i,
                                  mneme_trail_difference *d, mneme_error *error) {
    struct trail_line a, b;
    mneme_status status = trail_text_parse(&pair->a, i, pair->a_path, &a, error);
    if (status == MNEME_OK) status = trail_text_parse(&pair->b, i, pair->b_path, &b, error);
    if (status != MNEME_OK) return status;
    add_field(d, "lr", a.lr, b.lr);
    add_field(d, "loss", a.loss, b.loss);
    if (a.has_norm && b.has_norm) {
        add_field(d, "gradient_norm", a.gradient_norm, b.gradient_norm);
    }
    return MNEME_OK;
}

static mneme_status keep_line(const struct trail_text *text, size_t i, char **line,
                              mneme_error *error) {
    if (i >= text->n) return MNEME_OK;
    *line = strdup(text->lines[i]);
    return *line == NULL ? error_set_memory(error, "a comparison") : MNEME_OK;
}

/* The last step before line `end` at which both trails have a digest, the same. */
static mneme_status find_common(const struct stage_pair *pair, size_t end, size_t *common,
                                mneme_error *error) {
    *common = 0;
    for (size_t i = end; i-- > 0;) {
        struct trail_line line;
        mneme_status status = trail_text_parse(&pair->a, i, pair->a_path, &line, error);
        if (status != MNEME_OK) return status;
        if (!line.has_digest) continue;
        *common = i + 1;
        break;
    }
    return MNEME_OK;
}

static mneme_status compare_stage(const struct stage_pair *pair, mneme_trail_difference *d,
                                  mneme_error *error) {
    size_t least = pair->a.n < pair->b.n ? pair->a.n : pair->b.n, i = 0;
    while (i < least && strcmp(pair->a.lines[i], pair->b.lines[i]) == 0) i++;
    d->n_compared += i;
    if (i == least && pair->a.n == pair->b.n) return MNEME_OK;
    d->differ = true;
    d->step = i + 1;
    d->n_steps = least;
    mneme_status status = find_common(pair, i, &d->common, error);
    if (status == MNEME_OK && i < least) status = compare_lines(pair, i, d, error);
    if (status == MNEME_OK) status = keep_line(&pair->a, i, &d->a, error);
    if (status == MNEME_OK) status = keep_line(&pair->b, i, &d->b, error);
    return status;
}

/* A run that was cut short, or has other learning rates, lacks stages; those are left out. */
static mneme_status compare_trails(const char *a, const char *b, const char *folder,
                                   mneme_trail_difference *d, mneme_error *error) {
    char *a_folder = path_join(a, folder), *b_folder = path_join(b, folder);
    struct stage_pair pair = {
        .a_path = a_folder == NULL ? NULL : path_join(a_folder, "trail.jsonl"),
        .b_path = b_folder == NULL ? NULL : path_join(b_folder, "trail.jsonl")};
    mneme_status status = MNEME_OK;
    if (pair.a_path == NULL || pair.b_path == NULL) {
        status = error_set_memory(error, "a path");
    } else if (file_exists(pair.a_path) && file_exists(pair.b_path)) {
        const char *name = strncmp(folder, "finetune/", 9) == 0 ? folder + 9 : folder;
        snprintf(d->stage, sizeof d->stage, "%s", name);
        d->n_stages++;
        status = trail_text_open(&pair.a, pair.a_path, error);
        if (status == MNEME_OK) status = trail_text_open(&pair.b, pair.b_path, error);
        if (status == MNEME_OK) status = compare_stage(&pair, d, error);
    }
    trail_text_close(&pair.a);
    trail_text_close(&pair.b);
    free(pair.a_path);
    free(pair.b_path);
    free(a_folder);
    free(b_folder);
    return status;
}

static mneme_status check_folder(const char *path, mneme_error *error) {
    char *recipe = path_join(path, "recipe.json");
    if (recipe == NULL) return error_set_memory(error, "a path");
    mneme_status status = file_exists(recipe)
                              ? MNEME_OK
                              : error_set(error, MNEME_BAD_INPUT,
                                          "%s: is not a run folder: it has no recipe.json", path);
    free(recipe);
    return status;
}

static mneme_status compare_finetunings(const char *a, const char *b, mneme_trail_difference *d,
                                        mneme_error *error) {
    struct path_list list = {0};
    char *folder = path_join(a, "finetune");
    mneme_status status = folder == NULL ? error_set_memory(error, "a path") : MNEME_OK;
    if (status == MNEME_OK && file_is_directory(folder)) {
        status = directory_list(folder, "/trail.jsonl", &list, error);
    }
    for (size_t i = 0; status == MNEME_OK && !d->differ && i < list.n; i++) {
        char name[256];
        int length = (int)(strlen(list.paths[i]) - strlen("/trail.jsonl"));
        snprintf(name, sizeof name, "finetune/%.*s", length, list.paths[i]);
        status = compare_trails(a, b, name, d, error);
    }
    path_list_free(&list);
    free(folder);
    return status;
}

mneme_status trail_difference_find(const char *a, const char *b, mneme_trail_difference *difference,
                                   mneme_error *error) {
    mneme_status status = check_folder(a, error);
    if (status == MNEME_OK) status = check_folder(b, error);
    if (status == MNEME_OK) status = compare_trails(a, b, "pretrain", difference, error);
    if (status == MNEME_OK && !difference->differ) {
        status = compare_finetunings(a, b, difference, error);
    }
    if (status == MNEME_OK && difference->n_stages == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s and %s: have no trail in common", a, b);
    }
    return status;
}
