#include "base/c_locale.h"

#include <errno.h>

struct c_locale c_locale_enter(void) {
    struct c_locale entered = {.before = uselocale((locale_t)0)};
    entered.numbers = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (entered.numbers != (locale_t)0) uselocale(entered.numbers);
    return entered;
}

void c_locale_leave(struct c_locale entered) {
    int code = errno;
    uselocale(entered.before);
    if (entered.numbers != (locale_t)0) freelocale(entered.numbers);
    errno = code;
}
