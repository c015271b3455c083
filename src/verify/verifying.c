#include "verify/verifying.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

/* A file that is compared as a whole is no larger than this. */
#define MAX_FILE_BYTES ((size_t)1 << 32)

mneme_status verifying_begin(struct verifying *v, const char *name, mneme_error *error) {
    mneme_verification *all = v->verification;
    TRY(memory_grow((void **)&all->stages, &v->capacity, all->n_stages + 1, sizeof *all->stages,
                    "the stages", error));
    v->stage = &all->stages[all->n_stages++];
    *v->stage = (mneme_verified_stage){.first = 1, .equal = true};
    snprintf(v->stage->name, sizeof v->stage->name, "%s%s", v->prefix, name);
    return MNEME_OK;
}

bool verifying_wants(const struct verifying *v, const char *name) {
    const char *wanted = v->options->stage;
    if (wanted == NULL) return true;
    size_t length = strlen(v->prefix);
    return strncmp(wanted, v->prefix, length) == 0 && strcmp(wanted + length, name) == 0;
}

static char *copy(const char *text) {
    return strdup(text == NULL ? "" : text);
}

mneme_status verifying_differ(struct verifying *v, const char *place, size_t step,
                              const char *recorded, const char *found, mneme_error *error) {
    mneme_verified_stage *stage = v->stage;
    if (!stage->equal) return MNEME_OK;
    stage->equal = false;
    stage->different_step = step;
    stage->place = copy(place);
    stage->recorded = copy(recorded);
    stage->found = copy(found);
    return stage->place == NULL || stage->recorded == NULL || stage->found == NULL
               ? error_set_memory(error, "a comparison")
               : MNEME_OK;
}

mneme_status verifying_pass_over(struct verifying *v, mneme_error *error, const char *format, ...) {
    char line[512], *all;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const char *before = v->stage->not_compared;
    if (asprintf(&all, "%s%s%s", before == NULL ? "" : before, before == NULL ? "" : "; ", line) <
        0) {
        return error_set_memory(error, "a comparison");
    }
    free(v->stage->not_compared);
    v->stage->not_compared = all;
    return MNEME_OK;
}

/* The line, from 1, in which two texts first differ, and where it begins in each. */
static size_t find_line(const char *a, const char *b, const char **a_line, const char **b_line) {
    size_t line = 1;
    *a_line = a;
    *b_line = b;
    for (; *a == *b && *a != '\0'; a++, b++) {
        if (*a != '\n') continue;
        line++;
        *a_line = a + 1;
        *b_line = b + 1;
    }
    return line;
}

/* Tells the first line that differs. */
static mneme_status differ_in_line(struct verifying *v, const char *name, const char *recorded,
                                   const char *found, mneme_error *error) {
    const char *a, *b;
    size_t line = find_line(recorded, found, &a, &b);
    char *a_copy = strndup(a, strcspn(a, "\n")), *b_copy = strndup(b, strcspn(b, "\n"));
    mneme_status status =
        a_copy == NULL || b_copy == NULL
            ? error_set_memory(error, "a comparison")
            : verifying_differ(v, path_in("", "%s:%zu", name, line).text, 0, a_copy, b_copy, error);
    free(a_copy);
    free(b_copy);
    return status;
}

mneme_status verifying_compare_file(struct verifying *v, const char *name, const char *found,
                                    mneme_error *error) {
    struct path path = path_in(v->directory.text, "%s", name);
    char *bytes;
    size_t length;
    TRY(file_read(path.text, MAX_FILE_BYTES, &bytes, &length, error));
    mneme_status status = MNEME_OK;
    if (length != strlen(found) || memcmp(bytes, found, length) != 0) {
        status = differ_in_line(v, name, bytes, found, error);
    }
    free(bytes);
    return status;
}
