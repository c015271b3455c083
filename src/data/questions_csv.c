/* Questions from CSV, such as SimpleQA's. */

#include <stdio.h>
#include <string.h>

#include "data/csv.h"
#include "data/questions_parts.h"

#define NO_COLUMN ((size_t)-1)

static size_t find_column(const struct text_list *header, const char *name) {
    for (size_t i = 0; i < header->n; i++) {
        if (strcmp(header->texts[i], name) == 0) return i;
    }
    return NO_COLUMN;
}

/* Adds the question in a row that began at this line. */
static mneme_status add_row(const struct question_file *file, const struct text_list *row,
                            size_t line, size_t question, size_t answer, struct question_set *set) {
    char place[512];
    snprintf(place, sizeof place, "%.480s:%zu", file->path, line);
    TRY(question_add(set, row->texts[question], strlen(row->texts[question]), place, file->error));
    return question_add_answer(set, row->texts[answer], strlen(row->texts[answer]), place,
                               file->error);
}

/* The rows after the header, which had n_columns. */
static mneme_status read_rows(const struct question_file *file, struct csv_reader *reader,
                              size_t n_columns, size_t question, size_t answer,
                              struct question_set *set) {
    struct text_list row = {0};
    mneme_status status = MNEME_OK;
    while (status == MNEME_OK && *reader->at != '\0') {
        size_t line = reader->line;
        const char *cause = csv_next(reader, &row, &status, file->error);
        if (cause != NULL) {
            status = question_refuse(file, reader->line, cause);
        } else if (status == MNEME_OK && row.n == 1 && row.texts[0][0] == '\0') {
            continue;
        } else if (status == MNEME_OK && row.n != n_columns) {
            status = error_set(file->error, MNEME_BAD_INPUT,
                               "%s:%zu: %zu fields where the header has %zu", file->path, line,
                               row.n, n_columns);
        } else if (status == MNEME_OK) {
            status = add_row(file, &row, line, question, answer, set);
        }
    }
    text_list_free(&row);
    return status;
}

mneme_status questions_read_csv(const struct question_file *file, struct question_set *set,
                                bool *is_csv) {
    struct csv_reader reader = {file->text, 1};
    struct text_list header = {0};
    mneme_status status;
    const char *cause = csv_next(&reader, &header, &status, file->error);
    size_t question = find_column(&header, "question"), answer = find_column(&header, "answer");
    if (question == NO_COLUMN) question = find_column(&header, "problem");
    size_t n_columns = header.n;
    text_list_free(&header);
    *is_csv = cause == NULL && question != NO_COLUMN && answer != NO_COLUMN;
    if (status != MNEME_OK || !*is_csv) return status;
    return read_rows(file, &reader, n_columns, question, answer, set);
}
