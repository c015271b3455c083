#ifndef CORPUS_PACKED_TEXT_KEYS_H
#define CORPUS_PACKED_TEXT_KEYS_H

/* The tensor and the metadata of a file of packed text, for its writer and its reader. */
#define PACKED_TOKENS "tokens"
#define PACKED_DOCUMENTS "documents"
#define PACKED_EMPTY "empty"
#define PACKED_PASSED_OVER "passed_over"
#define PACKED_SOURCES "sources"
#define PACKED_TOKENIZER "tokenizer"

#endif
