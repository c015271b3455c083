#ifndef DATA_QUESTIONS_H
#define DATA_QUESTIONS_H

#include "base/error.h"
#include "data/question_set.h"

/* Reads a file of questions. Its content shows its format:
 * - JSON lines: {"question": text, "answer": text or list of texts}, as in NQ-open. An answer
 *   with "####" is one of GSM8K's: what follows is the answer, the whole is the explanation.
 * - CSV (RFC 4180) whose header row has the columns `question` or `problem`, and `answer`, as
 *   SimpleQA's, in any order among any others.
 * - TriviaQA's JSON: Data[].Question, Data[].Answer.Value and .Aliases; the value comes first.
 * - anything else is plain text, a text per line.
 * A UTF-8 byte order mark, CRLF and empty lines are tolerated. MNEME_BAD_INPUT for anything
 * malformed, invalid UTF-8, or a file without questions: "PATH:LINE: cause", or for TriviaQA
 * "PATH: Data[i].KEY: cause". */
mneme_status questions_load(const char *path, struct question_set *set, mneme_error *error);

#endif
