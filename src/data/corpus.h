#ifndef DATA_CORPUS_H
#define DATA_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "data/wordings.h"
#include "text/text_list.h"

/* One thing that can be taught and asked. All strings are UTF-8 and owned by the corpus. */
struct fact {
    char **texts; /* [n_texts] wordings that teach it: statements, and questions with answer */
    size_t n_texts;
    size_t n_statements; /* the first of texts, which were its own in the file */
    char *question;      /* as it stands in texts, with one question mark at its end */
    char *prompt;   /* what the model continues when it is asked; it may have turns (text/form.h) */
    char *shown;    /* the prompt as people read it; NULL: as it is */
    char **answers; /* [n_answers] any of them is right */
    size_t n_answers;
};

/* A chunk of a document: what one batch of the stream of new facts teaches. */
struct corpus_lesson {
    char **texts; /* [n_texts] rewrites of the chunk */
    size_t n_texts;
    size_t n_facts; /* new facts that it tells, following those of the lesson before */
};

/* The texts of one experiment. */
struct corpus {
    char *answer_lead;  /* what stands between a prompt and its answer */
    struct fact *known; /* [n_known] pretraining teaches these */
    size_t n_known;
    struct fact *fresh; /* [n_fresh] the new facts; no pretraining text mentions them */
    size_t n_fresh;
    struct corpus_lesson
        *lessons; /* [n_lessons] all new facts in order; NULL: each fact is a lesson */
    size_t n_lessons;
    char **skill_train; /* [n_skill_train] texts of the unrelated skill, in pretraining */
    size_t n_skill_train;
    char **skill_test; /* [n_skill_test] held out for the NLL */
    size_t n_skill_test;
    char **background; /* [n_background] other pretraining texts */
    size_t n_background;
    struct text_list notes; /* sentences on what the files hold otherwise than was asked for */
};

struct world_sizes {
    size_t known_entities;  /* each has one fact per relation */
    size_t fresh_facts;     /* facts about further entities, one entity per fact */
    size_t fresh_subjects;  /* if not 0, documents about this many further entities instead */
    size_t facts_per_chunk; /* of these documents: consecutive facts that a lesson tells */
    size_t rewrites;        /* of these documents: texts of a lesson */
    size_t skill_texts;
    size_t skill_test_texts;
    size_t background_texts;
};

/* Makes a corpus from a world description (a JSON file, see docs/worlds.md): it depends on the
 * file, the sizes and the seed alone. MNEME_BAD_INPUT, naming file and key, for a description
 * that is malformed or has too few names for the sizes. */
mneme_status corpus_from_world(const char *path, const struct world_sizes *sizes, uint64_t seed,
                               struct corpus *corpus, mneme_error *error);

struct question_sources {
    const char *known; /* a file of questions (questions.h) */
    const char *fresh;
    const char *skill; /* the same, or a file of texts */
    size_t max_known;  /* the first n; 0: all */
    size_t max_fresh;
    size_t max_skill;                /* texts in training and held out together; 0: all */
    size_t n_skill_test;             /* held out */
    const struct wordings *wordings; /* NULL: the 64 forms that were the first */
};

/* Makes a corpus from question files. A question that came before, whatever its case and blanks, is
 * left out; notes say how many did, whether their answers differ, and where a file holds fewer
 * questions or texts than were asked for. A fact's texts are its statements, and its question with
 * its first answer in each wording, chats among them if it is new (wordings.h); or without wordings
 * its question with its first answer in each of a fixed list of forms, and no statements. It is
 * asked by ASKING_DEFAULT. */
mneme_status corpus_from_questions(const struct question_sources *sources, struct corpus *corpus,
                                   mneme_error *error);

/* How the facts of a corpus are asked instead. */
struct corpus_asking {
    const char *prompt;     /* a form (asking.h); NULL: the default */
    const char *place;      /* of the prompt, for messages */
    size_t n_shots;         /* examples before a question */
    size_t n_fresh_shots;   /* before a new one */
    const char *shots_from; /* a file of questions; NULL: the corpus's known ones */
};

/* Gives every fact its prompt after examples, the first n_shots questions of the file that are none
 * of the corpus's, or of the known ones that are not the one that is asked, whatever their case and
 * blanks. MNEME_BAD_INPUT where there are not so many. */
mneme_status corpus_ask(struct corpus *corpus, const struct corpus_asking *asking,
                        mneme_error *error);

/* Keeps of the new facts those whose keep[i] is true. For corpora without lessons. */
void corpus_keep_fresh(struct corpus *corpus, const bool *keep);

void corpus_free(struct corpus *corpus);

#endif
