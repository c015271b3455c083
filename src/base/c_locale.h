#ifndef BASE_C_LOCALE_H
#define BASE_C_LOCALE_H

#include <locale.h>

/* Numbers are printed and read as in the C locale between enter and leave, in this thread only,
 * whatever locale the process has chosen. */
struct c_locale {
    locale_t numbers, before;
};

struct c_locale c_locale_enter(void);
/* Keeps errno. */
void c_locale_leave(struct c_locale entered);

#endif
