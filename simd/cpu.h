#ifndef SIMD_CPU_H
#define SIMD_CPU_H

#include <stdbool.h>

#include "simd/simd.h"

/* True if the CPU and the operating system let this process use the instruction set. */
bool cpu_has_isa(enum simd_isa isa);

#endif
