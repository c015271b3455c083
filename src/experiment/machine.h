#ifndef EXPERIMENT_MACHINE_H
#define EXPERIMENT_MACHINE_H

#include <jansson.h>

/* What a report says of the machine: cpu, isa, threads, compiler, version. */
json_t *machine_to_json(void);

#endif
