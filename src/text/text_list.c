#include "text/text_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

mneme_status text_list_add(struct text_list *list, char *text, mneme_error *error) {
    if (text == NULL) return error_set_memory(error, "a text");
    mneme_status status = memory_grow((void **)&list->texts, &list->capacity, list->n + 1,
                                      sizeof *list->texts, "texts", error);
    if (status != MNEME_OK) {
        free(text);
        return status;
    }
    list->texts[list->n++] = text;
    return MNEME_OK;
}

mneme_status text_list_add_copy(struct text_list *list, const char *text, size_t length,
                                mneme_error *error) {
    return text_list_add(list, strndup(text, length), error);
}

void text_list_free(struct text_list *list) {
    for (size_t i = 0; i < list->n; i++) free(list->texts[i]);
    free(list->texts);
    *list = (struct text_list){0};
}
