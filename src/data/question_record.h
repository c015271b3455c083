#ifndef DATA_QUESTION_RECORD_H
#define DATA_QUESTION_RECORD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "data/question_set.h"

/* Records of question files in JSON. Names are those of question_names.h. */

/* The member whose key is the first of the names that the object has, in any case; NULL. */
const json_t *question_member(const json_t *object, const char *const *names);

/* Whether the object is a record: it has a question, a `text` or statements. */
bool question_is_record(const json_t *object);

/* Adds a record to the set: {"text": text}, or {"question": text, "answer": answer, "aliases":
 * answer}, where an answer is a text, number or truth value, a list of them, {"value", "aliases"}
 * (TriviaQA) or {"text"} (SQuAD). A text with "####" is one of GSM8K's: what follows is the answer,
 * the whole is the explanation. Beside a question, or alone where the set takes them, there may be
 * `statements`: a text or a list of them. A question that is marked as one without an answer
 * (`is_impossible`, or {"text": []}) is left out and counted. MNEME_BAD_INPUT, with a message that
 * begins with `place`, for anything else, multiple-choice questions among it. */
mneme_status question_read_record(const json_t *record, struct question_set *set, const char *place,
                                  mneme_error *error);

#endif
