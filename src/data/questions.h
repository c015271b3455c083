#ifndef DATA_QUESTIONS_H
#define DATA_QUESTIONS_H

#include "base/error.h"
#include "data/question_set.h"

/* Reads a file of questions. Its content shows its format:
 * - JSON: records one after another, a line each or not (NQ-open, GSM8K), a list of them, or such a
 *   list under `data` (TriviaQA) or `data[].paragraphs[].qas` (SQuAD 1.1 and 2.0). A record is what
 *   question_record.h says: a question with its answers, or a text.
 * - a table (CSV as in RFC 4180, or with semicolons or tabs) whose first row names a column
 *   `question` and a column `answer` (question_names.h), in any order among any others; perhaps one
 *   `statement` or `statements`.
 * - anything else is plain text, a text per line.
 * Names are read in any case. A UTF-8 byte order mark, CRLF and empty lines are tolerated.
 * Statements come with a question: a record of statements alone is refused.
 * MNEME_BAD_INPUT for anything malformed, UTF-16, invalid UTF-8, questions among texts, or a file
 * without questions: "PATH:LINE: cause", and for a record within a list "PATH: data[i]: cause". */
mneme_status questions_load(const char *path, struct question_set *set, mneme_error *error);

/* The same for facts that need not be asked: records of statements alone, a table with a column
 * `statement` alone, and texts, each a statement, are questions without `question` and answers.
 * set->is_text is false then. */
mneme_status questions_load_facts(const char *path, struct question_set *set, mneme_error *error);

#endif
