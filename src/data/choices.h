#ifndef DATA_CHOICES_H
#define DATA_CHOICES_H

#include "base/error.h"
#include "data/choice_record.h"

/* A file of multiple-choice questions. */
struct choice_set {
    struct choice_question *questions; /* [n] in the order of the file */
    size_t n;
    size_t capacity;
};

/* Reads JSON records, a line each or not, or one list of them. Each record's keys show its layout:
 * - ARC: {"question": {"stem", "choices": [{"text", "label"}]}, "answerKey"}, or as Hugging Face
 *   has it {"question", "choices": {"text": […], "label": […]}, "answerKey"}. The context is
 *   "Question: STEM\nAnswer:".
 * - HellaSwag: {"activity_label", "ctx_a", "ctx_b", "endings": […], "label"}. The context is
 *   "ACTIVITY: CTX_A CTX_B", the last of which begins with a capital and is lowercase then; marks
 *   of WikiHow are taken out.
 * - plain: {"context", "endings" or "choices": […], "label" or "answer"}, the context as it stands,
 *   or "question", as ARC's (`ctx` serves, too); the right one is a place in the list, from 0.
 * Contexts and endings are those that lm-evaluation-harness makes. MNEME_BAD_INPUT, "PATH:LINE:
 * cause", or "PATH: [i]: cause" in a list, for anything else. */
mneme_status choices_load(const char *path, struct choice_set *set, mneme_error *error);
/* Does nothing to {0}. */
void choices_free(struct choice_set *set);

#endif
