/* Questions from tables: CSV such as SimpleQA's, or with other separators. */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/question_names.h"
#include "data/questions_parts.h"
#include "text/csv.h"
#include "text/unicode.h"

#define NO_COLUMN ((size_t)-1)

/* What the first row says. */
struct columns {
    size_t n, question, answer, statement;
};

static bool is_name(const char *cell, const char *name) {
    size_t length = strlen(cell);
    unicode_trim(&cell, &length);
    return strlen(name) == length && strncasecmp(cell, name, length) == 0;
}

static size_t find_column(const struct text_list *header, const char *const *names) {
    for (; *names != NULL; names++) {
        for (size_t i = 0; i < header->n; i++) {
            if (is_name(header->texts[i], *names)) return i;
        }
    }
    return NO_COLUMN;
}

/* Adds a row of a table of statements. */
static mneme_status add_statement(const struct text_list *row, const char *place,
                                  const struct columns *columns, struct question_set *set,
                                  mneme_error *error) {
    TRY(question_add_record(set, error));
    TRY(question_add_listed_statements(set, row->texts[columns->statement], error));
    if (set->questions[set->n - 1].statements.n > 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: an empty statement", place);
}

/* Adds the question in a row that began at this line. */
static mneme_status add_row(const struct question_file *file, const struct text_list *row,
                            size_t line, const struct columns *columns, struct question_set *set) {
    char place[512];
    snprintf(place, sizeof place, "%.480s:%zu", file->path, line);
    if (columns->question == NO_COLUMN) return add_statement(row, place, columns, set, file->error);
    const char *question = row->texts[columns->question];
    TRY(question_add(set, question, strlen(question), place, file->error));
    TRY(question_add_listed(set, row->texts[columns->answer], place, file->error));
    if (columns->statement == NO_COLUMN) return MNEME_OK;
    return question_add_listed_statements(set, row->texts[columns->statement], file->error);
}

/* The rows after the header. */
static mneme_status read_rows(const struct question_file *file, struct csv_reader *reader,
                              const struct columns *columns, struct question_set *set) {
    struct text_list row = {0};
    mneme_status status = MNEME_OK;
    while (status == MNEME_OK && *reader->at != '\0') {
        size_t line = reader->line;
        const char *cause = csv_next(reader, &row, &status, file->error);
        if (cause != NULL) {
            status = question_refuse(file, reader->line, cause);
        } else if (status == MNEME_OK && row.n == 1 && row.texts[0][0] == '\0') {
            continue;
        } else if (status == MNEME_OK && row.n != columns->n) {
            status = error_set(file->error, MNEME_BAD_INPUT,
                               "%s:%zu: %zu fields where the header has %zu", file->path, line,
                               row.n, columns->n);
        } else if (status == MNEME_OK) {
            status = add_row(file, &row, line, columns, set);
        }
    }
    text_list_free(&row);
    return status;
}

/* Reads the first row; a column that it has not is NO_COLUMN. */
static mneme_status read_header(const struct question_file *file, struct csv_reader *reader,
                                struct columns *columns) {
    struct text_list header = {0};
    mneme_status status;
    const char *cause = csv_next(reader, &header, &status, file->error);
    *columns =
        (struct columns){header.n, find_column(&header, question_names),
                         find_column(&header, answer_names), find_column(&header, statement_names)};
    if (cause != NULL) columns->answer = columns->statement = NO_COLUMN;
    text_list_free(&header);
    return status;
}

/* What spreadsheets may write before the header: "sep=;". */
static void skip_separator(struct csv_reader *reader) {
    size_t length = strcspn(reader->at, "\n");
    bool is_one = strncasecmp(reader->at, "sep=", 4) == 0 && length >= 5 && length <= 6 &&
                  (length == 5 || reader->at[5] == '\r');
    if (!is_one) return;
    reader->at += length + (reader->at[length] == '\n');
    reader->line++;
}

/* Questions with answers, or statements alone. */
static bool has_columns(const struct columns *columns, const struct question_set *set) {
    if (columns->question != NO_COLUMN) return columns->answer != NO_COLUMN;
    return set->takes_statements && columns->statement != NO_COLUMN;
}

mneme_status questions_read_table(const struct question_file *file, struct question_set *set,
                                  bool *is_table) {
    static const char separators[] = ",;\t";
    for (const char *separator = separators; *separator != '\0'; separator++) {
        struct csv_reader reader = {.at = file->text, .line = 1, .separator = *separator};
        struct columns columns;
        skip_separator(&reader);
        TRY(read_header(file, &reader, &columns));
        *is_table = has_columns(&columns, set);
        if (*is_table) return read_rows(file, &reader, &columns, set);
    }
    return MNEME_OK;
}
