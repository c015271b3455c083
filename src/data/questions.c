#include "data/questions.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/questions_parts.h"
#include "data/utf8.h"

#define MAX_FILE_BYTES ((size_t)4 << 30)

static mneme_status check_text(const struct question_file *file) {
    size_t valid = utf8_valid_length(file->text, file->length);
    size_t good = strnlen(file->text, valid);
    if (good == file->length) return MNEME_OK;
    size_t line = 1;
    for (size_t i = 0; i < good; i++) line += file->text[i] == '\n';
    return question_refuse(file, line, good < valid ? "a NUL byte" : "invalid UTF-8");
}

static mneme_status read_text(const struct question_file *file, struct question_set *set) {
    set->is_text = true;
    for (const char *line = file->text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (strspn(line, " \t\v\f\r") < length) {
            TRY(question_add(set, line, length, file->path, file->error));
        }
        line += length + (line[length] == '\n');
    }
    return MNEME_OK;
}

/* JSON that goes on after its first line, and not with an object on each, is one document. */
static bool is_one_document(const struct question_file *file) {
    const char *start = file->text + strspn(file->text, " \t\r\n");
    const char *next = start + 1 + strspn(start + 1, " \t\r\n");
    return strncmp(next, "\"Data\"", 6) == 0 || memchr(start, '\n', (size_t)(next - start)) != NULL;
}

static mneme_status read_any(const struct question_file *file, struct question_set *set) {
    TRY(check_text(file));
    if (file->text[strspn(file->text, " \t\r\n")] == '{') {
        TRY(is_one_document(file) ? questions_read_triviaqa(file, set)
                                  : questions_read_lines(file, set));
    } else {
        bool is_csv;
        TRY(questions_read_csv(file, set, &is_csv));
        if (!is_csv) TRY(read_text(file, set));
    }
    return set->n > 0 ? MNEME_OK : question_refuse(file, 1, "the file holds no questions");
}

mneme_status questions_load(const char *path, struct question_set *set, mneme_error *error) {
    *set = (struct question_set){0};
    char *bytes;
    size_t length;
    TRY(file_read(path, MAX_FILE_BYTES, &bytes, &length, error));
    size_t mark = strncmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    const struct question_file file = {path, bytes + mark, length - mark, error};
    mneme_status status = read_any(&file, set);
    free(bytes);
    if (status != MNEME_OK) questions_free(set);
    return status;
}
