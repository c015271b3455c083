#ifndef MNEME_VERSION_H
#define MNEME_VERSION_H

/* Version of the library and its interface (semantic versioning). */
#define MNEME_VERSION_MAJOR 0
#define MNEME_VERSION_MINOR 1
#define MNEME_VERSION_PATCH 0
#define MNEME_VERSION "0.1.0"

/* Version of the arithmetic contract (docs/arithmetic.md). It changes whenever any result's bits
 * do. A model's config.json has the version that it was made under. */
#define MNEME_CONTRACT_VERSION 1

#endif
