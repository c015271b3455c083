#include "run/trail.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/version.h>

#include "base/json_write.h"
#include "base/text.h"
#include "nn/matmul_backend.h"

/* Where the first `lines` lines end; -1 if they are not all there. */
static long end_of_lines(FILE *stream, size_t lines) {
    size_t found = 0;
    for (int c = getc(stream); c != EOF; c = getc(stream)) {
        if (c == '\n' && ++found == lines) return ftell(stream);
    }
    return -1;
}

/* The first line; malloc'ed, NULL without memory. */
static char *make_head(const char *stage) {
    struct text text = {0};
    const char *mark = matmul_backend_mark();
    json_t *name = json_string(stage);
    char *quoted = name == NULL ? NULL : json_print(name, JSON_ENCODE_ANY);
    json_decref(name);
    text.failed = quoted == NULL;
    text_add(&text, "{\"contract\": %d, \"stage\": %s", MNEME_CONTRACT_VERSION,
             quoted == NULL ? "" : quoted);
    if (mark != NULL) text_add(&text, ", \"canonical\": false, \"matmul\": \"%s\"", mark);
    text_add(&text, "}\n");
    free(quoted);
    return text_take(&text);
}

static mneme_status begin(struct trail *trail, const char *head, mneme_error *error) {
    return fputs(head, trail->stream) >= 0 ? MNEME_OK
                                           : error_set_errno(error, trail->path, "cannot write");
}

/* Goes behind the lines of the checkpoint's steps, the last that stay. */
static mneme_status resume(struct trail *trail, const char *head, size_t steps,
                           mneme_error *error) {
    const char *at = head;
    while (*at != '\0' && getc(trail->stream) == (unsigned char)*at) at++;
    if (*at != '\0') {
        return error_set(error, MNEME_BAD_INPUT, "%s:1: is not the first line of this training",
                         trail->path);
    }
    long end = end_of_lines(trail->stream, steps);
    if (end < 0) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: has fewer lines than the %zu steps of the checkpoint", trail->path,
                         steps);
    }
    if (fseek(trail->stream, end, SEEK_SET) != 0 || ftruncate(fileno(trail->stream), end) != 0) {
        return error_set_errno(error, trail->path, "cannot cut");
    }
    return MNEME_OK;
}

mneme_status trail_open(struct trail *trail, const char *path, const char *stage, size_t steps,
                        mneme_error *error) {
    trail->path = strdup(path);
    if (trail->path == NULL) return error_set_memory(error, "the trail");
    trail->stream = fopen(path, steps > 0 ? "r+e" : "we");
    if (trail->stream == NULL) return error_set_errno(error, path, "cannot write");
    char *head = make_head(stage);
    if (head == NULL) return error_set_memory(error, "the trail");
    mneme_status status = steps > 0 ? resume(trail, head, steps, error) : begin(trail, head, error);
    free(head);
    return status;
}

mneme_status trail_digest(const struct trail *trail, uint64_t *bytes, struct digest *digest,
                          mneme_error *error) {
    *bytes = UINT64_MAX;
    return digest_of_prefix(trail->path, bytes, digest, error);
}

static void add_float(struct text *text, const char *name, float value) {
    text_add(text, ", \"%s\": %.9g, \"%s_hex\": \"%a\"", name, (double)value, name, (double)value);
}

char *trail_line_text(const struct trail_line *line) {
    struct text text = {0};
    text_add(&text, "{\"step\": %zu, \"tokens\": %zu", line->step, line->tokens);
    add_float(&text, "lr", line->lr);
    add_float(&text, "loss", line->loss);
    if (line->has_norm) add_float(&text, "gradient_norm", line->gradient_norm);
    if (line->has_slots) {
        text_add(&text, ", \"slots\": %zu", line->slots.slots);
        add_float(&text, "slot_perplexity", line->slots.perplexity);
        add_float(&text, "never_read", line->slots.never_read);
    }
    if (line->has_digest) text_add(&text, ", \"digest\": \"%s\"", line->digest.hex);
    text_add(&text, "}");
    return text_take(&text);
}

mneme_status trail_add(struct trail *trail, const struct trail_line *line, mneme_error *error) {
    char *bytes = trail_line_text(line);
    if (bytes == NULL) return error_set_memory(error, "the trail");
    int written = fprintf(trail->stream, "%s\n", bytes);
    free(bytes);
    return written < 0 ? error_set_errno(error, trail->path, "cannot write") : MNEME_OK;
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
