#ifndef BUDGET_BYTES_TEXT_H
#define BUDGET_BYTES_TEXT_H

#include <stddef.h>

#define BYTES_TEXT 24

/* "538 MB", "2.86 GB", of 10^6 and 10^9 bytes; returns `text`. */
const char *bytes_text(size_t bytes, char text[BYTES_TEXT]);
/* The same of operations and the like: "1.2 T". */
const char *count_text(double count, char text[BYTES_TEXT]);
/* "3.1 s", "12 min", "5.2 h", "3 days". */
const char *seconds_text(double seconds, char text[BYTES_TEXT]);

#endif
