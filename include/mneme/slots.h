#ifndef MNEME_SLOTS_H
#define MNEME_SLOTS_H

/* Where a model keeps facts: which memory slots texts read. */

#include <stddef.h>

#include <mneme/error.h>
#include <mneme/run.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mneme_slots_options {
    const char *directory;        /* a run folder with its base model */
    const char *const *overrides; /* "key=value": finetune.smf.t and where moved input files are */
    size_t n_overrides;
    const size_t *new_facts; /* [n_new_facts] numbers, from 0, of new facts (or chunks) to show */
    size_t n_new_facts;
    const size_t *known_facts; /* [n_known_facts] numbers of known facts to show */
    size_t n_known_facts;
    size_t overlap; /* compare the first n new facts with each other */
    size_t top;     /* slots listed per fact */
    mneme_progress_callback progress;
    void *user;
} mneme_slots_options;

/* Reports which slots texts read in the base model of a run: how ordinary text uses all slots; for
 * each fact asked for, the slots that its wordings share, how specific they are (IDF), and which
 * tokens read them; and how much the trainable sets of new facts overlap. Writes slots.md,
 * slots.json, usage.csv, fact-*.csv, overlap.csv and their plots into DIR/slots/. *report becomes
 * the text for a terminal; free it with free(). */
MNEME_API mneme_status mneme_slots(const mneme_slots_options *options, char **report,
                                   mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
