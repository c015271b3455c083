#ifndef TOKENIZER_TOKENIZER_PARTS_H
#define TOKENIZER_TOKENIZER_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "splitter/metaspace.h"
#include "splitter/splitter.h"
#include "text/string_map.h"
#include "tokenizer/decoder.h"
#include "tokenizer/pair_map.h"
#include "tokenizer/token_list.h"
#include "tokenizer/tokenizer_names.h"

/* What the files of the tokenizer share; for them only. */

struct bpe_merge {
    int32_t left, right;
    int32_t result; /* the token whose text is left's and right's */
};

/* A word in the making: its symbols as a linked list over arrays, so that a merge is O(1). */
struct bpe_symbol {
    int32_t id;             /* TOKEN_NONE: a merge took it */
    int32_t previous, next; /* -1 at the ends */
};

/* A merge that may be applied at the symbol `position`. */
struct bpe_candidate {
    uint32_t rank; /* index of the merge; lower is applied first */
    int32_t position;
};

/* Scratch of bpe_encode_word, kept between words. */
struct bpe_scratch {
    struct bpe_symbol *symbols;
    size_t n_symbols;
    size_t symbol_capacity;
    struct bpe_candidate *heap; /* a binary heap, least (rank, position) first */
    size_t n_heap;
    size_t heap_capacity;
};

/* Ids of words that were encoded before. */
struct word_cache {
    struct string_map words;
    size_t *starts; /* [words.n + 1] word i's ids are ids.ids[starts[i]..starts[i + 1]) */
    size_t start_capacity;
    struct token_list ids;
};

/* What one thread needs to encode; all zero before its first use, with one tokenizer only. */
struct encoder {
    struct split_scratch split;
    struct word_cache cache;
    struct bpe_scratch scratch;
};

/* Byte pair encoding: which symbols a piece begins as, and which merge into which. */
struct bpe {
    /* The symbols of a piece are its bytes, and a token's text in `vocabulary` is bytes. Otherwise
     * they are its characters. */
    bool by_byte;
    /* A token's number is its id; one that pieces cannot become is by its name, hidden, and an id
     * without a token is hidden and empty. */
    struct string_map vocabulary;
    struct bpe_merge *merges; /* [n_merges] in the order they apply */
    size_t n_merges;
    size_t merge_capacity;
    struct pair_map ranks; /* (left, right) -> index in merges */
    int32_t byte_ids[256]; /* by_byte: of each byte. Else: its fallback. TOKEN_NONE for none */
    int32_t unknown;       /* what a symbol without a token becomes; TOKEN_NONE: nothing */
    bool fuses_unknown;    /* neighbours become one */
    bool ignores_merges;   /* a piece that is a token of the vocabulary is that token */
    bool cuts_words;       /* no token has a U+2581 after another character, see word_end */
    char *prefix, *suffix; /* of symbols but the first, and of the last; NULL for none */
};

struct token_text {
    int32_t id;
    char *text;
};

struct tokenizer {
    char *pattern; /* of a trained tokenizer */
    char *path;    /* of a loaded tokenizer */
    char *source;  /* the file that a loaded tokenizer is from, [source_length] bytes */
    size_t source_length;
    struct splitter *splitter;
    struct bpe bpe;
    struct decoder *decoder;
    /* What a loaded tokenizer's added tokens decode to where that is not their name: as the Python
     * package has it, the normalised text of one that is looked for late. */
    struct token_text *texts; /* [n_texts] by id */
    size_t n_texts;
    uint8_t *is_special; /* [vocabulary.n] of a loaded tokenizer: left out with special tokens */
    size_t n_model_ids;  /* of a loaded tokenizer: one more than the highest id of model.vocab */
    int32_t start_of_text, end_of_text; /* TOKEN_NONE where no token does that */
    struct token_frame frame;
    struct encoder encoder;
    struct encoder *more_encoders; /* [n_more_encoders] of other threads */
    size_t n_more_encoders;
};

/* A tokenizer with a splitter and an empty vocabulary. `place` names the plan's source. */
mneme_status tokenizer_open(const struct split_plan *plan, const char *place,
                            struct tokenizer **tokenizer, mneme_error *error);

/* What a tokenizer.json's `pre_tokenizer` says, as rules; the patterns belong to it. `path` names
 * the file. *by_byte becomes true when it ends with ByteLevel, whose alphabet is left to the
 * vocabulary. MNEME_BAD_INPUT for a kind that is not known. */
mneme_status tokenizer_read_rules(const json_t *pre_tokenizer, const char *path,
                                  struct split_plan *plan, bool *by_byte, mneme_error *error);

/* Appends what a tokenizer.json's `post_processor` puts around a text. */
mneme_status tokenizer_read_frame(const struct tokenizer_file *file, const json_t *processor,
                                  struct token_frame *frame);

/* Fills *bpe, which is all zero but for `by_byte`, from a tokenizer.json's `model` and the names of
 * its tokens. */
mneme_status bpe_load(const struct tokenizer_file *file, const json_t *model,
                      const struct token_names *names, struct bpe *bpe);
void bpe_free(struct bpe *bpe);

/* Appends the merge of two tokens; its result joins the vocabulary when it is a new token.
 * *result becomes its id. A merge that the pair has already is forgotten. */
mneme_status bpe_add_merge(struct bpe *bpe, int32_t left, int32_t right, int32_t *result,
                           mneme_error *error);

/* Appends the ids of one piece of text to *list: from its symbols on, the merge of lowest rank is
 * applied, the leftmost first, until none applies. O(n log n). */
mneme_status bpe_encode_word(const struct bpe *bpe, struct bpe_scratch *scratch, const char *word,
                             size_t length, struct token_list *list, mneme_error *error);

/* Appends the ids of a text. */
mneme_status encoder_run(struct encoder *encoder, const struct tokenizer *tokenizer,
                         enum split_source source, const char *text, size_t length,
                         struct token_list *list, mneme_error *error);
void encoder_free(struct encoder *encoder);

/* A token's text as tokenizer.json has it; the caller frees it. NULL without memory. */
char *tokenizer_token_text(const struct tokenizer *tokenizer, int32_t id);

#endif
