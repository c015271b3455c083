#include "experiment/loss_log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define HEADER "step,tokens,lr,loss,gradient_norm\n"

/* Where the header and the first `steps` lines end; -1 if they are not all there. */
static long end_of_lines(FILE *stream, size_t steps) {
    size_t lines = 0;
    rewind(stream);
    for (int c = getc(stream); c != EOF; c = getc(stream)) {
        if (c == '\n' && ++lines == steps + 1) return ftell(stream);
    }
    return -1;
}

mneme_status loss_log_open(struct loss_log *log, const char *path, size_t steps,
                           mneme_error *error) {
    log->path = strdup(path);
    if (log->path == NULL) return error_set_memory(error, "the loss log");
    log->stream = steps > 0 ? fopen(path, "r+e") : NULL;
    long end = log->stream == NULL ? -1 : end_of_lines(log->stream, steps);
    if (end >= 0) {
        if (fseek(log->stream, end, SEEK_SET) != 0 || ftruncate(fileno(log->stream), end) != 0) {
            return error_set_errno(error, path, "cannot cut");
        }
        return MNEME_OK;
    }
    if (log->stream != NULL) fclose(log->stream);
    log->stream = fopen(path, "we");
    if (log->stream == NULL) return error_set_errno(error, path, "cannot write");
    fputs(HEADER, log->stream);
    return MNEME_OK;
}

mneme_status loss_log_add(struct loss_log *log, size_t step, size_t tokens, float lr,
                          const struct step_result *result, mneme_error *error) {
    struct text text = {0};
    text_add(&text, "%zu,%zu,%.9g,%.9g,%.9g\n", step + 1, tokens, (double)lr, (double)result->loss,
             (double)result->gradient_norm);
    char *line = text_take(&text);
    if (line == NULL) return error_set_memory(error, "the loss log");
    int written = fputs(line, log->stream);
    free(line);
    if (written == EOF) return error_set_errno(error, log->path, "cannot write");
    return MNEME_OK;
}

mneme_status loss_log_flush(struct loss_log *log, mneme_error *error) {
    if (fflush(log->stream) != 0 || ferror(log->stream) || fsync(fileno(log->stream)) != 0) {
        return error_set_errno(error, log->path, "cannot write");
    }
    return MNEME_OK;
}

void loss_log_close(struct loss_log *log) {
    if (log->stream != NULL) fclose(log->stream);
    free(log->path);
    *log = (struct loss_log){0};
}
