#ifndef RUN_MACHINE_H
#define RUN_MACHINE_H

#include <jansson.h>

#include <mneme/info.h>

/* Fills all of *info. */
void machine_describe(mneme_info *info);

/* What a report says of the machine: cpu, isa, threads, compiler, version. */
json_t *machine_to_json(void);

#endif
