#include "reference/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/path.h"
#include "reference/reference_case.h"

#define MAX_MANIFEST ((size_t)1 << 24)
#define MAX_FILE ((size_t)1 << 30)

static const struct {
    const char *name;
    reference_runner run;
} kinds[] = {
    {"rms_norm", run_rms_norm},
    {"rope", run_rope},
    {"swiglu", run_swiglu},
    {"cross_entropy", run_cross_entropy},
    {"attention", run_attention},
    {"memory_layer", run_memory_layer},
    {"model", run_model},
    {"logits", run_logits},
    {"schedule", run_schedule},
    {"adamw", run_adamw},
    {"training", run_training},
    {"lora", run_lora},
    {"smf", run_smf},
    {"qa", run_qa},
};

/* The folder and what is being found out about it. */
struct checking {
    const mneme_reference_options *options;
    struct path path; /* of the manifest */
    json_t *manifest;
    struct reference_rows rows;
    unsigned isas; /* bit i: instruction set i was tried */
    size_t n_isas, n_cases, done;
};

static const json_t *cases_of(const struct checking *checking) {
    return json_object_get(checking->manifest, "cases");
}

static bool wanted(const struct checking *checking, const json_t *one) {
    const char *name = json_string_value(json_object_get(one, "name"));
    const char *filter = checking->options->filter;
    return name != NULL && (filter == NULL || strstr(name, filter) != NULL);
}

static mneme_status check_digest(const char *path, const char *name, const char *expected,
                                 mneme_error *error) {
    char *bytes = NULL;
    size_t length;
    struct digest digest;
    mneme_status status = file_read(path, MAX_FILE, &bytes, &length, error);
    THEN(digest_of_bytes(bytes, length, &digest, error));
    free(bytes);
    if (status != MNEME_OK || (expected != NULL && strcmp(digest.hex, expected) == 0)) {
        return status;
    }
    return error_set(error, MNEME_BAD_INPUT, "%s: SHA-256 is not what manifest.json says of `%s`",
                     path, name);
}

static mneme_status open_manifest(struct checking *checking, mneme_error *error) {
    const char *name;
    json_t *digest;
    const char *folder = checking->options->directory;
    checking->path = path_in(folder, "manifest.json");
    TRY(json_read_file(checking->path.text, MAX_MANIFEST, &checking->manifest, error));
    json_object_foreach(json_object_get(checking->manifest, "files"), name, digest) {
        TRY(check_digest(path_in(folder, "%s", name).text, name, json_string_value(digest), error));
    }
    for (size_t i = 0; i < json_array_size(cases_of(checking)); i++) {
        checking->n_cases += wanted(checking, json_array_get(cases_of(checking), i));
    }
    if (checking->n_cases > 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: has no %scase", checking->path.text,
                     checking->options->filter == NULL ? "" : "such ");
}

/* Every trial of a case whose name, kind and file are known. */
static void run_trials(struct reference_case *c, size_t kind, size_t trials) {
    for (size_t t = 0; c->status == MNEME_OK && t < trials; t++) {
        c->trial = t;
        c->n_compared = 0;
        if (c->file != NULL) c->is_read = reference_room(c, c->file->n, sizeof *c->is_read);
        kinds[kind].run(c);
        reference_check_all_compared(c);
        reference_case_close(c);
    }
}

static mneme_status run_case(struct checking *checking, const json_t *one, enum simd_isa isa,
                             mneme_error *error) {
    const char *names[sizeof kinds / sizeof *kinds];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) names[i] = kinds[i].name;
    struct reference_case c = {.isa = isa,
                               .rows = &checking->rows,
                               .first_row = checking->rows.n,
                               .error = error,
                               .name = json_string_value(json_object_get(one, "name"))};
    struct safetensors file = {0};
    size_t kind = 0, trials = json_array_size(json_object_get(one, "seeds"));
    char *name = NULL;
    mneme_status status = json_place_root(one, checking->path.text, &c.place, error);
    THEN(json_get_choice(&c.place, "kind", KEY_REQUIRED, names, sizeof names / sizeof *names, &kind,
                         error));
    THEN(json_get_string(&c.place, "file", KEY_REQUIRED, &name, error));
    const struct path path = path_in(checking->options->directory, "%s", name != NULL ? name : "");
    c.path = path.text;
    if (status == MNEME_OK && strcmp(kinds[kind].name, "qa") != 0) {
        status = safetensors_open(&file, path.text, error);
        c.file = &file;
    }
    if (reference_ok(&c, status)) run_trials(&c, kind, trials > 0 ? trials : 1);
    safetensors_close(&file);
    free(name);
    return c.status;
}

/* The row that another instruction set made of the same tensor, with the same bits and, as they
 * then must be, the same errors; NULL if there is none. */
static struct measured_row *same_bits(const struct reference_rows *rows, size_t end,
                                      const struct measured_row *row) {
    for (size_t i = 0; i < end; i++) {
        struct measured_row *other = &rows->rows[i];
        if (other->hash == row->hash && other->row.different == row->row.different &&
            strcmp(other->row.name, row->row.name) == 0 &&
            strcmp(other->row.tensor, row->row.tensor) == 0) {
            return other;
        }
    }
    return NULL;
}

/* Rows from `first` on join those with the same bits before them. */
static void merge_rows(struct reference_rows *rows, size_t first) {
    size_t kept = first;
    for (size_t i = first; i < rows->n; i++) {
        struct measured_row *same = same_bits(rows, first, &rows->rows[i]);
        if (same != NULL) {
            same->isas |= rows->rows[i].isas;
        } else {
            rows->rows[kept++] = rows->rows[i];
        }
    }
    rows->n = kept;
}

static void report_progress(struct checking *checking, enum simd_isa isa) {
    const mneme_reference_options *options = checking->options;
    mneme_progress progress = {.stage = simd_isa_name(isa),
                               .unit = "cases",
                               .done = ++checking->done,
                               .total = checking->n_cases * checking->n_isas};
    if (options->progress != NULL) options->progress(&progress, options->user);
}

static mneme_status run_isa(struct checking *checking, enum simd_isa isa, mneme_error *error) {
    const json_t *cases = cases_of(checking);
    size_t first = checking->rows.n;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        if (!wanted(checking, one)) continue;
        mneme_status status = run_case(checking, one, isa, error);
        if (status != MNEME_OK) return status;
        report_progress(checking, isa);
    }
    merge_rows(&checking->rows, first);
    return MNEME_OK;
}

/* All instruction sets that are here, then the one from before again. */
static mneme_status run_all(struct checking *checking, mneme_error *error) {
    const enum simd_isa before = simd()->isa;
    mneme_status status = MNEME_OK;
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        checking->n_isas += simd_table(isa) != NULL;
    }
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT && status == MNEME_OK; isa++) {
        if (!simd_use(isa)) continue;
        checking->isas |= 1u << isa;
        status = run_isa(checking, isa, error);
    }
    simd_use(before);
    return status;
}

static void list_isas(unsigned isas, char *list, size_t size) {
    list[0] = '\0';
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        size_t used = strlen(list);
        if ((isas >> isa & 1) == 0) continue;
        snprintf(list + used, size - used, "%s%s", used > 0 ? " " : "", simd_isa_name(isa));
    }
}

static mneme_status hand_over(struct checking *checking, mneme_equivalence *e, mneme_error *error) {
    const json_t *versions = json_object_get(checking->manifest, "versions");
    const char *torch = json_string_value(json_object_get(versions, "torch"));
    e->rows = calloc(checking->rows.n + 1, sizeof *e->rows);
    if (e->rows == NULL) return error_set_memory(error, "a reference table");
    e->n_rows = checking->rows.n;
    e->n_cases = checking->n_cases;
    list_isas(checking->isas, e->isas, sizeof e->isas);
    snprintf(e->torch, sizeof e->torch, "%s", torch == NULL ? "unknown" : torch);
    for (size_t i = 0; i < e->n_rows; i++) {
        struct measured_row *row = &checking->rows.rows[i];
        row->row.equivalent = measure_is_equivalent(&row->row);
        row->row.within_here = measure_is_within_here(&row->row);
        row->row.here_within = measure_here_is_within_ours(&row->row);
        list_isas(row->isas, row->row.isas, sizeof row->row.isas);
        e->rows[i] = row->row;
        e->n_different += !row->row.equivalent;
        e->n_beyond_here += !row->row.within_here;
        e->n_here_beyond += !row->row.here_within;
    }
    e->equivalent = e->n_different == 0;
    return MNEME_OK;
}

mneme_status reference_check(const mneme_reference_options *options, mneme_equivalence *equivalence,
                             mneme_error *error) {
    struct checking checking = {.options = options};
    mneme_status status = open_manifest(&checking, error);
    THEN(run_all(&checking, error));
    THEN(hand_over(&checking, equivalence, error));
    free(checking.rows.rows);
    json_decref(checking.manifest);
    return status;
}
