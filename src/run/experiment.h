#ifndef RUN_EXPERIMENT_H
#define RUN_EXPERIMENT_H

#include <mneme/run.h>

#include "base/path.h"
#include "corpus/packed_text.h"
#include "data/corpus.h"
#include "exam/choice_score.h"
#include "exam/subject.h"
#include "generate/model_texts.h"
#include "lesson/common_texts.h"
#include "method/lessons.h"
#include "model/model.h"
#include "recipe/identity.h"
#include "recipe/recipe.h"
#include "tokenizer/token_texts.h"
#include "tokenizer/tokenizer.h"

/* The facts of one side of an experiment as tokens. */
struct fact_tokens {
    const struct fact *facts;
    size_t n;
    struct token_texts prompts;  /* sequence i asks fact i */
    struct token_texts answered; /* and goes on with its first answer; none without answer_lines */
};

/* Multiple-choice questions as tokens. */
struct experiment_choices {
    struct subject subject;
    struct asked_choices *files; /* [n] of the recipe */
    size_t n;
};

/* An opened run folder: the recipe's texts, tokenizer and model. */
struct experiment {
    struct recipe recipe;
    const char *directory; /* borrowed */
    bool is_read;          /* opened without a recipe: what is in the folder is not made anew */
    char *base_folder, *pretrain_folder;
    mneme_progress_callback progress;
    void *user;
    struct corpus corpus;
    struct tokenizer *tokenizer;
    struct token_texts pretraining; /* everything that pretraining reads, but for … */
    struct packed_text text;        /* … the recipe's text, {0} where there is none */
    struct packed_text held_out_text;
    struct token_texts skill_test;
    struct fact_tokens known, fresh;
    struct experiment_choices choices;
    bool answer_lines;          /* an answer ends with its line, and its NLL is scored */
    struct model_texts texts;   /* how the model writes texts */
    struct voice voice;         /* where common questions or answers alone are read, else {0} */
    struct common_texts common; /* of corpus.common, {0} without it */
    struct lessons lessons;
    struct model model;
};

/* Tells the user a line through the progress callback, if there is one. */
void experiment_warn(const struct experiment *experiment, const char *format, ...)
    MNEME_PRINTF(2, 3);

/* Makes the folder if need be, reads or makes recipe.json and tokenizer.json in it, and makes
 * texts and an empty model. A folder of another recipe is refused, as far as the scope tells, and
 * one of another contract. A folder of a version that kept no digests is taken as it is, and the
 * user is told.
 * Without options->recipe the folder's own is taken, and the folder must be there. */
mneme_status experiment_open(const mneme_run_options *options, enum identity_scope scope,
                             struct experiment *experiment, mneme_error *error);
/* Its parts: the questions and texts, asked as the recipe says; … */
mneme_status experiment_open_corpus(struct experiment *experiment, mneme_error *error);
/* … the tokenizer, and all that is read, as tokens. */
mneme_status experiment_open_texts(struct experiment *experiment, mneme_error *error);
/* Parts of that: the texts that teach the new facts; … */
mneme_status experiment_open_lessons(struct experiment *experiment, mneme_error *error);
/* … and the common questions, if there are any. */
mneme_status experiment_open_common(struct experiment *experiment, mneme_error *error);
/* How wordings and prompts are written for the model. */
struct text_manner experiment_manner(const struct experiment *experiment);
/* Appends the tokens that end an answer: where its text does, or with its line. */
mneme_status experiment_answer_ends(const struct experiment *experiment, struct token_list *stops,
                                    mneme_error *error);
/* Appends what asks a fact, as tokens. */
mneme_status experiment_add_prompt(const struct experiment *experiment, const struct fact *fact,
                                   struct token_texts *prompts, mneme_error *error);
/* Whether facts are taught by wordings and statements, or by the forms that were the first. */
bool experiment_is_worded(const struct experiment *experiment);
/* … and, of an opened model, the questions whose answers are chosen. */
mneme_status experiment_open_choices(struct experiment *experiment, mneme_error *error);
/* Does nothing to {0}. */
void experiment_close_choices(struct experiment *experiment);
/* What tokenizer.json should be: learned from the texts of pretraining, or the base's. */
mneme_status experiment_make_tokenizer(const struct experiment *experiment,
                                       struct tokenizer **tokenizer, mneme_error *error);
void experiment_close(struct experiment *experiment);

/* Calls the progress callback, if there is one. */
void experiment_tell(const struct experiment *experiment, const mneme_progress *progress);

/* The same of a stage without a memory's figures. loss may be NULL. */
void experiment_progress(const struct experiment *experiment, const char *stage, const char *unit,
                         size_t done, size_t total, size_t tokens, const float *loss);

#endif
