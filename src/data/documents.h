#ifndef DATA_DOCUMENTS_H
#define DATA_DOCUMENTS_H

#include "data/corpus.h"

/* Makes documents about the new entities of a world, as lessons. An entity's document holds its
 * facts, n_relations consecutive ones of corpus->fresh, in chunks of facts_per_chunk; the last
 * chunk may be shorter. A lesson is a chunk's rewrites: each has all facts of the chunk, in an
 * order and with wordings drawn for it. A function of facts, sizes and seed. */
mneme_status documents_make(size_t n_relations, const struct world_sizes *sizes, uint64_t seed,
                            struct corpus *corpus, mneme_error *error);

#endif
