#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

/* Numbers as text, the same in every locale. */

#define FORMAT_FLOAT_SIZE 32

/* Nine significant digits, which read back as the same float; "nan", "inf", "-inf". */
void format_float(char text[FORMAT_FLOAT_SIZE], float value);

#endif
