#include "splitter/metaspace.h"

#include <string.h>

#include "text/utf8.h"

static bool read_scheme(const json_t *scheme, enum metaspace_scheme *read) {
    static const char *const names[] = {
        [METASPACE_ALWAYS] = "always", [METASPACE_FIRST] = "first", [METASPACE_NEVER] = "never"};
    *read = METASPACE_ALWAYS;
    if (scheme == NULL) return true;
    for (size_t i = 0; json_is_string(scheme) && i < sizeof names / sizeof *names; i++) {
        if (strcmp(json_string_value(scheme), names[i]) != 0) continue;
        *read = (enum metaspace_scheme)i;
        return true;
    }
    return false;
}

bool metaspace_read(const json_t *part, struct metaspace *metaspace) {
    metaspace->replacement = json_string_value(json_object_get(part, "replacement"));
    if (metaspace->replacement == NULL) return false;
    size_t length = strlen(metaspace->replacement);
    if (length == 0 || utf8_decode(metaspace->replacement, length, NULL) != length) return false;
    if (!read_scheme(json_object_get(part, "prepend_scheme"), &metaspace->scheme)) return false;
    bool adds = !json_is_false(json_object_get(part, "add_prefix_space"));
    return adds || metaspace->scheme == METASPACE_NEVER;
}
