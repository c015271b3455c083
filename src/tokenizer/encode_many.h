#ifndef TOKENIZER_ENCODE_MANY_H
#define TOKENIZER_ENCODE_MANY_H

#include <stddef.h>

#include "tokenizer/tokenizer.h"

/* One text of many: any bytes. */
struct encode_text {
    const char *bytes;
    size_t length;
};

/* Encodes n texts as tokenizer_encode_data does, on all threads. Appends their ids to *ids in the
 * order of the texts, however many threads there are; ends[i] becomes where the ids of text i end
 * in ids->ids. Neither a start nor an end is added. Beside *ids, it takes the memory of the ids
 * once more: callers with many texts give them in parts, of some megabytes each. */
mneme_status tokenizer_encode_many(struct tokenizer *tokenizer, size_t n,
                                   const struct encode_text *texts, struct token_list *ids,
                                   size_t *ends, mneme_error *error);

#endif
