#ifndef TEACH_FACTS_H
#define TEACH_FACTS_H

#include "data/question_set.h"
#include "patch/patch.h"

/* The facts of a file, and those that a patch has already. */

/* Reads a file of facts: questions with answers, or statements alone. MNEME_BAD_INPUT where a
 * question has no answer. */
mneme_status facts_load(const char *path, struct question_set *facts, mneme_error *error);

/* has[i] [facts->n] says whether the patch has a fact with its question and first answer. */
mneme_status facts_find(const struct question_set *facts, const struct patch *patch, bool *has,
                        mneme_error *error);

/* A fact as a patch keeps it: of statements alone the first one, without an answer. And back; the
 * record borrows the fact's strings. */
mneme_status fact_of_record(const struct question *record, struct patch_fact *fact,
                            mneme_error *error);
struct question record_of_fact(struct patch_fact *fact);

#endif
