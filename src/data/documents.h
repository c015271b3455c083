#ifndef DATA_DOCUMENTS_H
#define DATA_DOCUMENTS_H

#include "data/corpus.h"

/* Documents about the new entities of a world, as lessons. The document of an entity tells its
 * facts, n_relations in a row of corpus->fresh, chunk by chunk: facts_per_chunk of them each, fewer
 * in the last. Rewrites teach a chunk: each has all of its facts, in an order and in wordings
 * drawn for that rewrite. The result depends on facts, sizes and seed alone. */
mneme_status documents_make(size_t n_relations, const struct world_sizes *sizes, uint64_t seed,
                            struct corpus *corpus, mneme_error *error);

#endif
