#include "experiment/trail.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* Where the first `steps` lines end; -1 if they are not all there. */
static long end_of_lines(FILE *stream, size_t steps) {
    size_t lines = 0;
    for (int c = getc(stream); c != EOF; c = getc(stream)) {
        if (c == '\n' && ++lines == steps) return ftell(stream);
    }
    return -1;
}

mneme_status trail_open(struct trail *trail, const char *path, size_t steps, mneme_error *error) {
    trail->path = strdup(path);
    if (trail->path == NULL) return error_set_memory(error, "the trail");
    trail->stream = fopen(path, steps > 0 ? "r+e" : "we");
    if (trail->stream == NULL) return error_set_errno(error, path, "cannot write");
    if (steps == 0) return MNEME_OK;
    long end = end_of_lines(trail->stream, steps);
    if (end < 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: fewer lines than the checkpoint's %zu steps",
                         path, steps);
    }
    if (fseek(trail->stream, end, SEEK_SET) != 0 || ftruncate(fileno(trail->stream), end) != 0) {
        return error_set_errno(error, path, "cannot cut");
    }
    return MNEME_OK;
}

static void add_float(struct text *text, const char *name, float value) {
    text_add(text, ", \"%s\": %.9g, \"%s_hex\": \"%a\"", name, (double)value, name, (double)value);
}

mneme_status trail_add(struct trail *trail, const struct trail_line *line, mneme_error *error) {
    struct text text = {0};
    text_add(&text, "{\"step\": %zu, \"tokens\": %zu", line->step, line->tokens);
    add_float(&text, "lr", line->lr);
    add_float(&text, "loss", line->loss);
    if (line->gradient_norm != NULL) add_float(&text, "gradient_norm", *line->gradient_norm);
    if (line->digest != NULL) text_add(&text, ", \"digest\": \"%s\"", line->digest->hex);
    text_add(&text, "}\n");
    char *bytes = text_take(&text);
    if (bytes == NULL) return error_set_memory(error, "the trail");
    int written = fputs(bytes, trail->stream);
    free(bytes);
    return written == EOF ? error_set_errno(error, trail->path, "cannot write") : MNEME_OK;
}

mneme_status trail_flush(struct trail *trail, mneme_error *error) {
    if (fflush(trail->stream) != 0 || ferror(trail->stream) || fsync(fileno(trail->stream)) != 0) {
        return error_set_errno(error, trail->path, "cannot write");
    }
    return MNEME_OK;
}

void trail_close(struct trail *trail) {
    if (trail->stream != NULL) fclose(trail->stream);
    free(trail->path);
    *trail = (struct trail){0};
}
