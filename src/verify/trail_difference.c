#include "verify/trail_difference.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "folder/stage.h"
#include "recipe/identity.h"
#include "run/trail.h"
#include "tensor/value_pair.h"
#include "verify/file_difference.h"

/* The trails of one stage of both runs. */
struct stage_pair {
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
    TRY(trail_text_parse(&pair->a, i, &a, error));
    TRY(trail_text_parse(&pair->b, i, &b, error));
    add_field(d, "lr", a.lr, b.lr);
    add_field(d, "loss", a.loss, b.loss);
    if (a.has_norm && b.has_norm) {
        add_field(d, "gradient_norm", a.gradient_norm, b.gradient_norm);
    }
    if (a.has_slots && b.has_slots) {
        add_field(d, "slot_perplexity", a.slots.perplexity, b.slots.perplexity);
        add_field(d, "never_read", a.slots.never_read, b.slots.never_read);
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
        TRY(trail_text_parse(&pair->a, i, &line, error));
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
    TRY(find_common(pair, i, &d->common, error));
    if (i < least) TRY(compare_lines(pair, i, d, error));
    TRY(keep_line(&pair->a, i, &d->a, error));
    return keep_line(&pair->b, i, &d->b, error);
}

/* A run that was cut short, or has other learning rates, lacks stages; those are left out. `name`
 * is the stage's, `folder` its place in both runs. */
static mneme_status compare_trails(const char *a, const char *b, const char *folder,
                                   const char *name, mneme_trail_difference *d,
                                   mneme_error *error) {
    struct path a_path = path_in(a, "%s/" FOLDER_TRAIL, folder);
    struct path b_path = path_in(b, "%s/" FOLDER_TRAIL, folder);
    struct stage_pair pair = {0};
    if (!file_exists(a_path.text) || !file_exists(b_path.text)) return MNEME_OK;
    snprintf(d->stage, sizeof d->stage, "%s", name);
    d->n_stages++;
    mneme_status status = trail_text_open(&pair.a, a_path.text, error);
    THEN(trail_text_open(&pair.b, b_path.text, error));
    THEN(compare_stage(&pair, d, error));
    trail_text_close(&pair.a);
    trail_text_close(&pair.b);
    return status;
}

static mneme_status check_folder(const char *path, mneme_error *error) {
    if (file_exists(path_in(path, IDENTITY_RECIPE).text)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: is not a run folder: it has no " IDENTITY_RECIPE,
                     path);
}

static mneme_status compare_finetunings(const char *a, const char *b, mneme_trail_difference *d,
                                        mneme_error *error) {
    static const char suffix[] = "/" FOLDER_TRAIL;
    struct path_list list;
    struct path all = path_in(a, FOLDER_FINETUNE);
    if (!file_is_directory(all.text)) return MNEME_OK;
    mneme_status status = directory_list(all.text, suffix, &list, error);
    for (size_t i = 0; status == MNEME_OK && !d->differ && i < list.n; i++) {
        int length = (int)(strlen(list.paths[i]) - strlen(suffix));
        struct path name = path_in("", "%.*s", length, list.paths[i]);
        struct path folder = path_in(FOLDER_FINETUNE, "%s", name.text);
        status = compare_trails(a, b, folder.text, name.text, d, error);
    }
    path_list_free(&list);
    return status;
}

mneme_status trail_difference_find(const char *a, const char *b, mneme_trail_difference *difference,
                                   mneme_error *error) {
    TRY(check_folder(a, error));
    TRY(check_folder(b, error));
    TRY(compare_trails(a, b, FOLDER_PRETRAIN, stage_pretraining().name, difference, error));
    if (!difference->differ) TRY(compare_finetunings(a, b, difference, error));
    if (difference->n_stages == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s and %s: have no trail in common", a, b);
    }
    if (difference->differ) return MNEME_OK;
    TRY(file_difference_find(a, b, difference, error));
    if (difference->differ) return MNEME_OK;
    TRY(manifest_check(a, a, error));
    return manifest_check(b, b, error);
}
