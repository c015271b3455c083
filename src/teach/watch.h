#ifndef TEACH_WATCH_H
#define TEACH_WATCH_H

#include <stdbool.h>

#include <mneme/eval.h>

#include "generate/language_model.h"
#include "tokenizer/token_texts.h"

/* What a model knows before, during and after teaching. */

struct watch {
    const struct language_model *language;
    const char *folder, *prompt; /* prompt NULL: the default */
    const char *facts, *keep;    /* files of questions; NULL: none */
    size_t limit;                /* of the facts; 0: all */
    size_t keep_shots;           /* examples before each question of `keep`, from that file */
    const struct token_texts *held_out;
    mneme_progress_callback progress;
    void *user;
};

struct measures {
    double new_f1, new_em; /* of the facts' questions */
    double keep_f1, keep_em;
    float text_nll; /* of a token of the held-out text */
};

/* Measures them; the facts only where asked. */
mneme_status watch_measure(const struct watch *watch, bool facts, struct measures *measures,
                           mneme_error *error);

/* What is lost, as shares of before: the fall of keep's F1, and the rise of the text's NLL. */
struct losses {
    double keep, text;
};

struct losses watch_losses(const struct measures *before, const struct measures *now);

#endif
