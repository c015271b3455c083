#ifndef CLI_REFERENCE_PRINT_H
#define CLI_REFERENCE_PRINT_H

#include <mneme/reference.h>

/* A line per tensor on standard output, or one JSON object. */
void reference_print_text(const mneme_equivalence *equivalence);
void reference_print_json(const mneme_equivalence *equivalence);

#endif
