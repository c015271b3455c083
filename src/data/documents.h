#ifndef DATA_DOCUMENTS_H
#define DATA_DOCUMENTS_H

#include "data/corpus.h"

/* Documents about the new entities of a world, as lessons. The document of an entity tells its
 * facts, n_relations in a row of corpus->fresh, chunk by chunk: facts_per_chunk of them each, the
 * last one fewer when they run out. A chunk is taught by rewrites of it: all its facts in an order
 * and in wordings of theirs that are drawn for each rewrite. A function of facts, sizes, seed. */
mneme_status documents_make(size_t n_relations, const struct world_sizes *sizes, uint64_t seed,
                            struct corpus *corpus, mneme_error *error);

#endif
