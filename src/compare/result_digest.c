#include "compare/result_digest.h"

#include <stdlib.h>
#include <string.h>

#include <mneme/version.h>

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "nn/matmul_backend.h"
#include "run/background_stage.h"
#include "run/stage.h"

#define MAX_FILE_BYTES ((size_t)1 << 34)

/* "SHA-256\n" of a file; takes the path, which may be NULL for want of memory. */
static mneme_status add_file(struct text *text, char *path, mneme_error *error) {
    char *bytes = NULL;
    size_t length;
    struct digest digest;
    mneme_status status = path == NULL ? error_set_memory(error, "a path")
                                       : file_read(path, MAX_FILE_BYTES, &bytes, &length, error);
    if (status == MNEME_OK) status = digest_of_bytes(bytes, length, &digest, error);
    if (status == MNEME_OK) text_add(text, "%s\n", digest.hex);
    free(bytes);
    free(path);
    return status;
}

static mneme_status add_trail(struct text *text, const char *directory, const struct stage *stage,
                              mneme_error *error) {
    char *folder = stage_folder(directory, stage);
    char *path = folder == NULL ? NULL : path_join(folder, "trail.jsonl");
    free(folder);
    text_add(text, "trail %s ", stage->name);
    return add_file(text, path, error);
}

static void add_scores(struct text *text, const char *name, const struct digest *digest,
                       const struct scores *s) {
    text_add(text, "%s %s %a %a %a %a %a\n", name, digest->hex, s->new_f1, s->new_em, s->known_f1,
             s->known_em, s->skill_nll);
}

static mneme_status add_method(struct text *text, const struct experiment *experiment,
                               enum method method, const struct report_method *found,
                               mneme_error *error) {
    const struct recipe_rates *recipe = method_recipe(&experiment->recipe, method);
    for (size_t i = 0; i < recipe->n_lr; i++) {
        struct stage stage = stage_finetuning(method, recipe->lr[i]);
        mneme_status status = add_trail(text, experiment->directory, &stage, error);
        if (status != MNEME_OK) return status;
        add_scores(text, stage.name, &found->runs[i].digest, &found->runs[i].scores);
    }
    return MNEME_OK;
}

static mneme_status add_all(struct text *text, const struct experiment *experiment,
                            const struct report *report, mneme_error *error) {
    struct stage pretraining = stage_pretraining();
    text_add(text, "contract %d\n", MNEME_CONTRACT_VERSION);
    const char *mark = matmul_backend_mark();
    if (mark != NULL) text_add(text, "matmul %s\n", mark);
    mneme_status status = add_trail(text, experiment->directory, &pretraining, error);
    add_scores(text, "base", &report->base_digest, &report->base);
    if (status == MNEME_OK && experiment->recipe.finetune.smf.rates.enabled) {
        text_add(text, "background ");
        status = add_file(text, background_stage_path(experiment), error);
    }
    size_t m = 0;
    for (enum method method = METHOD_FULL; status == MNEME_OK && method < METHOD_COUNT; method++) {
        if (!method_recipe(&experiment->recipe, method)->enabled) continue;
        status = add_method(text, experiment, method, &report->methods[m++], error);
    }
    return status;
}

mneme_status result_digest(const struct experiment *experiment, const struct report *report,
                           struct digest *digest, mneme_error *error) {
    struct text text = {0};
    mneme_status status = add_all(&text, experiment, report, error);
    char *bytes = text_take(&text);
    if (status == MNEME_OK) {
        status = bytes == NULL ? error_set_memory(error, "a digest")
                               : digest_of_bytes(bytes, strlen(bytes), digest, error);
    }
    free(bytes);
    return status;
}
