#include "tokenizer/encode_many.h"

mneme_status tokenizer_encode_many(struct tokenizer *tokenizer, size_t n,
                                   const struct encode_text *texts, struct token_list *ids,
                                   size_t *ends, mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        TRY(tokenizer_encode_data(tokenizer, texts[i].bytes, texts[i].length, ids, error));
        ends[i] = ids->n;
    }
    return MNEME_OK;
}
