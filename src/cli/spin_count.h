#ifndef CLI_SPIN_COUNT_H
#define CLI_SPIN_COUNT_H

/* libgomp's threads spin for milliseconds when they wait for each other. Where another program
 * wants the CPU, that is a wait for threads that cannot run: a run beside two others on two cores
 * is four times slower (docs/profiling.md). A thousand rounds, some microseconds, lose nothing on a
 * quiet machine. libgomp reads the number when it is loaded, so the program starts once more with
 * it in its environment; not when OMP_WAIT_POLICY or GOMP_SPINCOUNT is there already. Returns where
 * that cannot be done, and then nothing has changed. */
void spin_count_lower(char **argv);

#endif
