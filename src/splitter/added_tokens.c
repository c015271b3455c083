#include "splitter/added_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "splitter/characters.h"
#include "text/utf8.h"

mneme_status added_tokens_add(struct added_tokens *set, const struct added_token *token,
                              mneme_error *error) {
    TRY(memory_grow((void **)&set->tokens, &set->capacity, set->n + 1, sizeof *set->tokens,
                    "added tokens", error));
    char *copy = strdup(token->text);
    if (copy == NULL) return error_set_memory(error, "added tokens");
    set->tokens[set->n] = *token;
    set->tokens[set->n].text = copy;
    set->tokens[set->n++].length = strlen(copy);
    return MNEME_OK;
}

/* By text, and equal ones by id. */
static int compare(const void *a, const void *b) {
    const struct added_token *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

void added_tokens_sort(struct added_tokens *set) {
    if (set->n > 1) qsort(set->tokens, set->n, sizeof *set->tokens, compare);
    size_t at = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        set->firsts[byte] = at;
        while (at < set->n && (unsigned char)set->tokens[at].text[0] == byte) at++;
    }
    set->firsts[256] = set->n;
}

void added_tokens_free(struct added_tokens *set) {
    for (size_t i = 0; i < set->n; i++) free(set->tokens[i].text);
    free(set->tokens);
    *set = (struct added_tokens){0};
}

/* The first of tokens [low, high), all longer than `at` bytes, whose byte there is at least `byte`.
 */
static size_t first_from(const struct added_tokens *set, size_t low, size_t high, size_t at,
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
static const struct added_token *longest_here(const struct added_tokens *set, const char *text,
                                              size_t length) {
    const struct added_token *longest = NULL;
    size_t low = set->firsts[(unsigned char)text[0]];
    size_t high = set->firsts[(unsigned char)text[0] + 1];
    for (size_t at = 1; low < high; at++) {
        /* The token that ends here, if there is one, comes first. */
        if (set->tokens[low].length == at) longest = &set->tokens[low++];
        while (low < high && set->tokens[low].length == at) low++;
        if (at == length || low == high) break;
        unsigned byte = (unsigned char)text[at];
        low = first_from(set, low, high, at, byte);
        high = first_from(set, low, high, at, byte + 1);
    }
    return longest;
}

static bool ends_with_word(const char *text, size_t length) {
    uint32_t character;
    if (length == 0) return false;
    last_character(text, length, &character);
    return character != 0 && character_is_word(character);
}

static bool starts_with_word(const char *text, size_t length) {
    uint32_t character;
    return utf8_decode(text, length, &character) > 0 && character_is_word(character);
}

static bool counts(const struct added_search *search, const struct added_token *token,
                   size_t start) {
    size_t end = start + token->length;
    if (search->passes_special && token->is_special) return false;
    return !token->single_word || (!ends_with_word(search->text, start) &&
                                   !starts_with_word(search->text + end, search->length - end));
}

/* Takes the white space that belongs to a token. */
static struct added_match strip(const struct added_search *search, const struct added_token *token,
                                size_t start) {
    struct added_match match = {start, start + token->length, token->id};
    if (token->lstrip) {
        match.start = length_without_trailing_spaces(search->text, start);
        if (match.start < search->done) match.start = search->done;
    }
    if (token->rstrip) {
        match.end += leading_spaces(search->text + match.end, search->length - match.end);
    }
    return match;
}

bool added_tokens_next(struct added_search *search, struct added_match *match) {
    const struct added_tokens *set = search->set;
    if (set->n == 0) return false;
    while (search->at < search->length) {
        size_t start = search->at;
        const struct added_token *token =
            longest_here(set, search->text + start, search->length - start);
        search->at += token == NULL ? 1 : token->length;
        if (token == NULL || !counts(search, token, start)) continue;
        *match = strip(search, token, start);
        if (match->start >= match->end) continue; /* the token before took all of it */
        search->done = match->end;
        return true;
    }
    return false;
}
