#include "tokenizer/special_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

mneme_status special_tokens_add(struct special_tokens *set, const char *text, int32_t id,
                                mneme_error *error) {
    TRY(memory_grow((void **)&set->tokens, &set->capacity, set->n + 1, sizeof *set->tokens,
                    "special tokens", error));
    char *copy = strdup(text);
    if (copy == NULL) return error_set_memory(error, "special tokens");
    struct special_token *token = &set->tokens[set->n++];
    token->text = copy;
    token->length = strlen(copy);
    token->id = id;
    return MNEME_OK;
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct special_token *)a)->text, ((const struct special_token *)b)->text);
}

void special_tokens_sort(struct special_tokens *set) {
    if (set->n > 1) qsort(set->tokens, set->n, sizeof *set->tokens, compare);
}

void special_tokens_free(struct special_tokens *set) {
    for (size_t i = 0; i < set->n; i++) free(set->tokens[i].text);
    free(set->tokens);
    *set = (struct special_tokens){0};
}

/* The first of tokens [low, high), all longer than `at` bytes, whose byte there is at least `byte`.
 */
static size_t first_from(const struct special_tokens *set, size_t low, size_t high, size_t at,
                         unsigned byte) {
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((unsigned char)set->tokens[middle].text[at] < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The longest token that text begins with, or NULL. */
static const struct special_token *longest_here(const struct special_tokens *set, const char *text,
                                                size_t length) {
    const struct special_token *longest = NULL;
    size_t low = 0, high = set->n;
    for (size_t at = 0; at < length && low < high; at++) {
        unsigned byte = (unsigned char)text[at];
        low = first_from(set, low, high, at, byte);
        high = first_from(set, low, high, at, byte + 1);
        /* The token that ends here, if there is one, is the first. */
        if (low < high && set->tokens[low].length == at + 1) longest = &set->tokens[low++];
    }
    return longest;
}

const struct special_token *special_tokens_next(const struct special_tokens *set, const char *text,
                                                size_t length, size_t *start) {
    if (set->n == 0) return NULL;
    for (size_t i = 0; i < length; i++) {
        const struct special_token *token = longest_here(set, text + i, length - i);
        if (token == NULL) continue;
        *start = i;
        return token;
    }
    return NULL;
}
