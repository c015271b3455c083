#ifndef SPLITTER_SPLIT_RULE_H
#define SPLITTER_SPLIT_RULE_H

#include <stdbool.h>

/* How pieces of text are cut or changed. */

/* What becomes of the matches of a pattern and of the gaps between them. */
enum split_behavior {
    SPLIT_ISOLATED,      /* each is a piece */
    SPLIT_REMOVED,       /* gaps are pieces, matches are left out */
    SPLIT_CONTIGUOUS,    /* neighbouring matches are one piece */
    SPLIT_MERGED_BEFORE, /* a match belongs to the gap before it */
    SPLIT_MERGED_AFTER   /* a match belongs to the gap after it */
};

enum split_action {
    SPLIT_BY_REGEX,       /* `pattern`: PCRE2 with UTF and UCP, spelled as Oniguruma means it */
    SPLIT_BY_LITERAL,     /* `pattern`: a string to look for */
    SPLIT_BY_PUNCTUATION, /* each character that Rust takes for punctuation is a match */
    SPLIT_PREFIX,         /* `pattern` goes before a piece that does not begin with it */
    SPLIT_PREFIX_START,   /* the same, at the very beginning of the text only */
    SPLIT_SPACES,         /* a blank becomes `pattern` */
    SPLIT_ALPHABET        /* bytes are written in the byte alphabet */
};

struct split_rule {
    enum split_action action;
    const char *pattern;
    enum split_behavior behavior;
    bool inverted; /* the gaps count as matches, the matches as gaps */
};

#endif
