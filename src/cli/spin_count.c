#include "cli/spin_count.h"

#include <stdbool.h>
#include <stddef.h>

/* Before any library is initialized: no function of theirs, nor a sanitizer's, may be called. */
#define EARLY __attribute__((no_sanitize("address", "thread", "undefined"), no_stack_protector))
#if !defined(__clang__) && __GNUC__ < 11
#undef EARLY
#define EARLY
#endif

static char spin_count[] = "GOMP_SPINCOUNT=1000";

/* Where it stands, and what stood there. */
static char **place;
static char *displaced;

EARLY static bool is_variable(const char *entry, const char *name) {
    while (*name != '\0' && *entry == *name) entry++, name++;
    return *name == '\0' && *entry == '=';
}

EARLY static char **find(char **environment, const char *name) {
    for (; *environment != NULL; environment++) {
        if (is_variable(*environment, name)) return environment;
    }
    return NULL;
}

EARLY static void lower(int argc, char **argv, char **environment) {
    static const char *const unread[] = {"_",       "SHLVL", "OLDPWD", "PWD", "TERM",
                                         "LOGNAME", "USER",  "HOME",   "PATH"};
    (void)argc, (void)argv;
    if (find(environment, "OMP_WAIT_POLICY") != NULL) return;
    if (find(environment, "GOMP_SPINCOUNT") != NULL) return;
    for (size_t i = 0; place == NULL && i < sizeof unread / sizeof *unread; i++) {
        place = find(environment, unread[i]);
    }
    if (place == NULL) return;
    displaced = *place;
    *place = spin_count;
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **,
                                                                            char **) = lower;

void spin_count_restore_environment(void) {
    if (place != NULL) *place = displaced;
    place = NULL;
}
