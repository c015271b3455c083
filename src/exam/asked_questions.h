#ifndef EXAM_ASKED_QUESTIONS_H
#define EXAM_ASKED_QUESTIONS_H

#include "data/asking.h"
#include "data/question_set.h"
#include "exam/scored_pairs.h"
#include "exam/subject.h"

/* How questions are asked. */
struct question_manner {
    const struct asking *asking;
    size_t n_shots;
    const struct question_set *shots; /* that examples come from; NULL: the asked questions */
    size_t max_new_tokens;
    bool answers_alone; /* without the NLL of the right ones */
    size_t limit;       /* the first questions alone; 0: all */
};

/* A file of questions that are asked. */
struct asked_questions {
    const char *file;
    struct question_set set;
    size_t n;                  /* that are asked */
    char **prompts;            /* [n] */
    struct token_list tokens;  /* the prompts' */
    size_t *starts;            /* [n + 1] in tokens.ids */
    struct scored_pairs pairs; /* each prompt with its question's first answer */
    size_t n_shortened;        /* prompts of which only the end is there */
};

/* Reads a file and makes prompts and tokens of it. */
mneme_status asked_questions_load(struct asked_questions *asked, const struct subject *subject,
                                  const struct question_manner *manner, const char *file,
                                  mneme_error *error);
/* Does nothing to {0}. */
void asked_questions_free(struct asked_questions *asked);

#endif
