#ifndef BASE_C_LOCALE_H
#define BASE_C_LOCALE_H

#include <locale.h>

/* Between enter and leave, this thread prints and reads numbers as in the C locale, whatever locale
 * the process has chosen. */
struct c_locale {
    locale_t numbers, before;
};

struct c_locale c_locale_enter(void);
/* Leaves errno as it is. */
void c_locale_leave(struct c_locale entered);

#endif
