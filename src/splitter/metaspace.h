#ifndef SPLITTER_METASPACE_H
#define SPLITTER_METASPACE_H

#include <jansson.h>
#include <stdbool.h>

/* A `Metaspace` of tokenizer.json, which is a pre-tokenizer and a decoder. */

enum metaspace_scheme { METASPACE_ALWAYS, METASPACE_FIRST, METASPACE_NEVER };

struct metaspace {
    const char *replacement; /* one character, the JSON's */
    enum metaspace_scheme scheme;
};

/* False for one that the Python package refuses. */
bool metaspace_read(const json_t *part, struct metaspace *metaspace);

#endif
