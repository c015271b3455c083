#ifndef BASE_THREAD_COUNT_H
#define BASE_THREAD_COUNT_H

#include <stddef.h>

#include "base/error.h"

/* How many OpenMP threads there are to be. */

struct thread_count {
    size_t threads;
    char reason[96]; /* "the CPUs that this process may use" */
};

/* The CPUs that the quotas of the process's control groups and all groups above them allow (cpu.max
 * of version 2, cpu.cfs_quota_us of version 1); 0: as many as there are. `root` is "" or, for
 * tests, a folder with a proc/self/cgroup and a sys/fs/cgroup of its own. */
double thread_count_quota(const char *root);

/* With `asked` (OMP_NUM_THREADS; NULL or empty: not set) as many, 1 to 1,024 or to the CPUs if
 * there are more; of a list like "4,2" the first. Otherwise one for each of `cpus`, but not more
 * than `quota` (0: none), rounded up. MNEME_BAD_INPUT for anything else that is asked. */
mneme_status thread_count_find(const char *asked, size_t cpus, double quota,
                               struct thread_count *count, mneme_error *error);

/* Finds it for this process and sets it as OpenMP's, all teams having that many. */
mneme_status thread_count_choose(mneme_error *error);

/* Why there are as many as there are. */
const char *thread_count_reason(void);

/* Whether OpenMP's number of threads can be started: libgomp would end the process. MNEME_BAD_INPUT
 * for more than thread_count_find takes, MNEME_FAILED where the system refuses. */
mneme_status thread_count_check(mneme_error *error);

#endif
