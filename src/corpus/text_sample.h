#ifndef CORPUS_TEXT_SAMPLE_H
#define CORPUS_TEXT_SAMPLE_H

#include "text/text_list.h"

/* Appends the sources' first documents to *texts (text_files.h, text_reader.h): up to max_bytes, of
 * which the last one fills what it can with whole characters. */
mneme_status text_sample_load(const char *const *sources, size_t n_sources, size_t max_bytes,
                              struct text_list *texts, mneme_error *error);

#endif
