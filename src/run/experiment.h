#ifndef RUN_EXPERIMENT_H
#define RUN_EXPERIMENT_H

#include <mneme/run.h>

#include "data/corpus.h"
#include "data/token_texts.h"
#include "data/tokenizer.h"
#include "model/model.h"
#include "recipe/identity.h"
#include "recipe/recipe.h"

/* The facts of one side of an experiment as tokens. */
struct fact_tokens {
    const struct fact *facts;
    size_t n;
    struct token_texts prompts; /* sequence i asks fact i */
};

/* What the stream of new facts teaches, lesson by lesson: single facts, or chunks of documents. */
struct lesson_tokens {
    size_t n;
    struct token_texts texts; /* wordings of all lessons, lesson by lesson */
    size_t *first_text;       /* [n + 1] a lesson's first sequence in texts */
    size_t *first_fact;       /* [n + 1] its first new fact */
    const char *unit;         /* "facts", "chunks" */
};

/* An opened run folder: the recipe's texts, tokenizer and model. */
struct experiment {
    struct recipe recipe;
    const char *directory; /* borrowed */
    mneme_progress_callback progress;
    void *user;
    struct corpus corpus;
    struct tokenizer *tokenizer;
    struct token_texts pretraining; /* everything that pretraining reads */
    struct token_texts skill_test;
    struct fact_tokens known, fresh;
    struct lesson_tokens lessons;
    struct model model;
    float *base_parameters; /* the pretrained model's parameters, to start every finetuning from */
};

/* Makes the folder if need be, reads or makes recipe.json and tokenizer.json in it, and makes
 * texts and an empty model. A folder of another recipe is refused, as far as the scope tells.
 * Without options->recipe the folder's own is taken, and the folder must be there. */
mneme_status experiment_open(const mneme_run_options *options, enum identity_scope scope,
                             struct experiment *experiment, mneme_error *error);
void experiment_close(struct experiment *experiment);

/* Path of a file in the run folder, from a format; malloc'ed, NULL when out of memory. */
char *experiment_path(const struct experiment *experiment, const char *format, ...)
    MNEME_PRINTF(2, 3);

/* Keeps the model's parameters as the base; and goes back to them. */
mneme_status experiment_keep_base(struct experiment *experiment, mneme_error *error);
void experiment_restore_base(struct experiment *experiment);

/* Calls the progress callback, if there is one. loss may be NULL. */
void experiment_progress(const struct experiment *experiment, const char *stage, const char *unit,
                         size_t done, size_t total, size_t tokens, const float *loss);

#endif
