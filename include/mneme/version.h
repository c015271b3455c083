#ifndef MNEME_VERSION_H
#define MNEME_VERSION_H

/* Of the library and its interface (semantic versioning). */
#define MNEME_VERSION_MAJOR 0
#define MNEME_VERSION_MINOR 1
#define MNEME_VERSION_PATCH 0
#define MNEME_VERSION "0.1.0"

/* Of the arithmetic contract (docs/arithmetic.md): it changes whenever any result's bits do. A
 * model's config.json names the contract that it was made under. */
#define MNEME_CONTRACT_VERSION 1

#endif
