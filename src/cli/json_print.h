#ifndef CLI_JSON_PRINT_H
#define CLI_JSON_PRINT_H

#include <stdio.h>

/* Writes text as a JSON string. */
void json_print_string(FILE *stream, const char *text);

#endif
