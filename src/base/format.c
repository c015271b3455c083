#include "base/format.h"

#include <stdio.h>

void format_float(char text[FORMAT_FLOAT_SIZE], float value) {
    snprintf(text, FORMAT_FLOAT_SIZE, "%.9g", (double)value);
    /* A locale's decimal comma becomes the point that every reader expects. */
    for (char *c = text; *c != '\0'; c++) {
        if (*c == ',') *c = '.';
    }
}
