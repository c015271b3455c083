#ifndef DATA_SPLITTER_H
#define DATA_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Cuts text into the pieces that byte pair encoding works in. No token crosses a cut. */
struct splitter;

/* pattern: a PCRE2 regular expression, read with UTF and UCP, that does not match the empty
 * string. special: a text that is a piece of its own wherever it stands (copied). `place` names
 * the pattern's source in messages. */
mneme_status splitter_open(const char *pattern, const char *special, const char *place,
                           struct splitter **splitter, mneme_error *error);
void splitter_close(struct splitter *splitter);

/* Is given each piece in turn; is_special for the special text. Another status than MNEME_OK ends
 * the split. */
typedef mneme_status splitter_visit(void *context, const char *piece, size_t length,
                                    bool is_special, mneme_error *error);

/* Visits the pieces of text in order; together they are the text. First the special text is cut
 * out, then each run of bytes that is not well-formed UTF-8 becomes one piece, and what remains
 * is cut by the pattern: a match is a piece, and so is what lies between two matches. Fails only
 * when visit does, or for a pattern that exceeds PCRE2's limits. Not for two threads at once. */
mneme_status splitter_run(struct splitter *splitter, const char *text, size_t length,
                          splitter_visit *visit, void *context, mneme_error *error);

#endif
