#include "run/stream.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "folder/folder.h"
#include "run/evaluation.h"

mneme_status stream_open(struct stream *stream, const char *folder, mneme_error *error) {
    stream->last_fact = 0;
    return file_writer_open(&stream->writer, path_in(folder, FOLDER_STREAM).text, error);
}

static mneme_status add_line(struct stream *stream, size_t n_lessons, const struct scores *scores,
                             double recent_f1, mneme_error *error) {
    json_t *line = json_object();
    int failed = json_object_set_new(line, "lessons", json_integer((json_int_t)n_lessons));
    failed |= scores_to_json(scores, line);
    failed |= json_object_set_new(line, "recent_f1",
                                  scores->diverged ? json_null() : json_real(recent_f1));
    char *dumped =
        failed != 0 ? NULL
                    : json_print(line, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    json_decref(line);
    if (dumped == NULL) return error_set_memory(error, "an evaluation");
    fprintf(stream->writer.stream, "%s\n", dumped);
    free(dumped);
    return MNEME_OK;
}

mneme_status stream_evaluate(struct stream *stream, const struct experiment *experiment,
                             size_t n_lessons, mneme_error *error) {
    struct scores scores;
    double recent_f1;
    size_t n_facts = experiment->lessons.first_fact[n_lessons];
    mneme_status status =
        evaluation_of_stream(experiment, n_facts, stream->last_fact, &scores, &recent_f1, error);
    if (!scores.diverged) TRY(status);
    stream->last_fact = n_facts;
    return add_line(stream, n_lessons, &scores, recent_f1, error);
}

mneme_status stream_finish(struct stream *stream, mneme_error *error) {
    return file_writer_finish(&stream->writer, error);
}

void stream_abandon(struct stream *stream) {
    file_writer_abandon(&stream->writer);
}
