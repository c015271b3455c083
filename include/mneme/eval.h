#ifndef MNEME_EVAL_H
#define MNEME_EVAL_H

/* What a model knows: questions that it answers, texts that it reads, endings that it chooses from.
 * docs/evaluation.md says what each number is. */

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>
#include <mneme/run.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mneme_eval_options {
    const char *model; /* a folder with config.json, model.safetensors and tokenizer.json */
    const char *patch; /* on the model (mneme/patch.h); NULL: none */
    const char *const *questions; /* [n_questions] files of questions with their answers */
    size_t n_questions;
    const char *const *texts; /* [n_texts] files of text, and folders of them */
    size_t n_texts;
    const char *const *choices; /* [n_choices] files of multiple-choice questions */
    size_t n_choices;
    size_t limit; /* of each file the first questions, or documents; 0: all */

    const char *prompt; /* how questions are asked (docs/evaluation.md); NULL: "Question: …" */
    size_t shots;       /* examples before a question */
    const char *shots_from; /* a file of questions that they come from; NULL: the asked file */
    size_t max_new_tokens;  /* of an answer; 0: 32 */
    bool answers_alone;     /* no NLL is taken of the right answers: it is 0 */
    const char *answers;    /* a file that gets a JSON line for each question; NULL: none */

    size_t window; /* tokens of a text read at once; 0: what the model takes, at most 2,048 */
    size_t stride; /* 0: windows one after the other; else that far from one to the next */

    bool special_tokens; /* what looks like a special token in a file is that token */

    mneme_progress_callback progress; /* may be NULL; called from the calling thread */
    void *user;
} mneme_eval_options;

/* Of a file of questions; means over its n questions. */
typedef struct mneme_eval_questions {
    const char *file;
    size_t n;
    double f1, exact_match; /* of greedy answers, by SQuAD's rules */
    double nll;         /* of a token of the first answer, given the prompt: in nats, the mean over
                         * the answer's tokens */
    double answer_nll;  /* of the whole first answer: the sum over its tokens */
    size_t n_shortened; /* prompts of which only the end had room in the model */
} mneme_eval_questions;

/* Of a file or folder of text: sums over its documents, of which each begins anew. */
typedef struct mneme_eval_text {
    const char *file;
    size_t n_documents;
    size_t n_windows;
    size_t n_tokens; /* that were predicted */
    size_t n_words;  /* pieces between white space */
    size_t n_bytes;
    double nll;        /* of a token, in nats, the mean */
    double perplexity; /* exp(nll) */
    double word_perplexity;
    double byte_perplexity;
    double bits_per_byte;
} mneme_eval_text;

/* Of a file of multiple-choice questions: shares of its n questions whose right ending is chosen.
 */
typedef struct mneme_eval_choices {
    const char *file;
    size_t n;
    double acc;             /* the ending that is likeliest as a whole */
    double acc_norm;        /* per character */
    double acc_norm_bytes;  /* per byte */
    double acc_norm_tokens; /* per token */
    size_t n_shortened;     /* beginnings of which only the end had room in the model */
} mneme_eval_choices;

/* Results in the order of the files; file names are the options'. */
typedef struct mneme_eval_results {
    mneme_eval_questions *questions;
    size_t n_questions;
    mneme_eval_text *texts;
    size_t n_texts;
    mneme_eval_choices *choices;
    size_t n_choices;
} mneme_eval_results;

/* Opens the model, reads all files, and only then begins. MNEME_BAD_INPUT, "FILE:LINE: cause", for
 * what a file should not have, and for a model without a tokenizer. The same bits for any number of
 * threads and whatever else is evaluated in the call. */
MNEME_API mneme_status mneme_eval(const mneme_eval_options *options, mneme_eval_results *results,
                                  mneme_error *error);
/* {0} is allowed. */
MNEME_API void mneme_eval_results_free(mneme_eval_results *results);

/* The results as tables for a terminal, or as JSON; free it with free(). NULL when memory is short.
 */
MNEME_API char *mneme_eval_table(const mneme_eval_results *results);
MNEME_API char *mneme_eval_json(const mneme_eval_results *results);

/* What an evaluation would take, stage by stage, as if nothing of it were done: memory, disk,
 * operations, and an estimate of the time from the machine's speed, which is measured in a second.
 * Nothing is computed, and no file is written. *plan becomes a table for a terminal, or JSON; free
 * it with free(). */
MNEME_API mneme_status mneme_eval_plan(const mneme_eval_options *options, bool as_json, char **plan,
                                       mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
