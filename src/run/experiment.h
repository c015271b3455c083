#ifndef RUN_EXPERIMENT_H
#define RUN_EXPERIMENT_H

#include <mneme/run.h>

#include "base/path.h"
#include "data/corpus.h"
#include "data/token_texts.h"
#include "data/tokenizer.h"
#include "method/base_copy.h"
#include "method/lessons.h"
#include "model/model.h"
#include "recipe/identity.h"
#include "recipe/recipe.h"

/* The facts of one side of an experiment as tokens. */
struct fact_tokens {
    const struct fact *facts;
    size_t n;
    struct token_texts prompts; /* sequence i asks fact i */
};

/* An opened run folder: the recipe's texts, tokenizer and model. */
struct experiment {
    struct recipe recipe;
    const char *directory; /* borrowed */
    char *base_folder, *pretrain_folder;
    mneme_progress_callback progress;
    void *user;
    struct corpus corpus;
    struct tokenizer *tokenizer;
    struct token_texts pretraining; /* everything that pretraining reads */
    struct token_texts skill_test;
    struct fact_tokens known, fresh;
    struct lessons lessons;
    struct model model;
    struct base_copy base; /* the pretrained model's parameters, to start every finetuning from */
};

/* Makes the folder if need be, reads or makes recipe.json and tokenizer.json in it, and makes
 * texts and an empty model. A folder of another recipe is refused, as far as the scope tells.
 * Without options->recipe the folder's own is taken, and the folder must be there. */
mneme_status experiment_open(const mneme_run_options *options, enum identity_scope scope,
                             struct experiment *experiment, mneme_error *error);
void experiment_close(struct experiment *experiment);

/* Calls the progress callback, if there is one. loss may be NULL. */
void experiment_progress(const struct experiment *experiment, const char *stage, const char *unit,
                         size_t done, size_t total, size_t tokens, const float *loss);

#endif
