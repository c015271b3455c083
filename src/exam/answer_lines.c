#include "exam/answer_lines.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "text/form.h"

mneme_status answer_line_write(FILE *stream, const struct answer_line *line, mneme_error *error) {
    const struct text_list *answers = &line->question->answers;
    json_t *list = json_array(), *object = json_object();
    char *prompt = form_show(line->prompt);
    for (size_t i = 0; i < answers->n; i++) {
        json_array_append_new(list, json_string(answers->texts[i]));
    }
    json_object_set_new(object, "file", json_string(line->file));
    json_object_set_new(object, "question", json_string(line->question->question));
    json_object_set_new(object, "answers", list);
    json_object_set_new(object, "prompt", prompt == NULL ? NULL : json_string(prompt));
    json_object_set_new(object, "said", json_string(line->said));
    json_object_set_new(object, "f1", json_real(line->f1));
    json_object_set_new(object, "exact_match", json_real(line->exact_match));
    json_object_set_new(object, "nll", json_real(line->answer_nll / (double)line->n_tokens));
    json_object_set_new(object, "answer_nll", json_real(line->answer_nll));
    char *dumped = json_print(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    json_decref(object);
    free(prompt);
    if (dumped == NULL) return error_set_memory(error, "an answer");
    fprintf(stream, "%s\n", dumped);
    free(dumped);
    return MNEME_OK;
}
