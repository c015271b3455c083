#include "tokenizer/token_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void token_list_free(struct token_list *list) {
    free(list->ids);
    *list = (struct token_list){0};
}

mneme_status token_list_append(struct token_list *list, const int32_t *ids, size_t n_ids,
                               mneme_error *error) {
    TRY(memory_grow((void **)&list->ids, &list->capacity, list->n + n_ids, sizeof *ids, "token ids",
                    error));
    if (n_ids > 0) memcpy(list->ids + list->n, ids, n_ids * sizeof *ids);
    list->n += n_ids;
    return MNEME_OK;
}

void token_frame_free(struct token_frame *frame) {
    token_list_free(&frame->before);
    token_list_free(&frame->after);
}
