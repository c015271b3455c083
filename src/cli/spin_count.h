#ifndef CLI_SPIN_COUNT_H
#define CLI_SPIN_COUNT_H

/* libgomp's threads spin for milliseconds when they wait for each other. Where another program
 * wants the CPU, that is a wait for threads that cannot run: a run beside two others on two cores
 * is four times slower (docs/profiling.md). A thousand rounds, some microseconds, lose nothing on a
 * quiet machine. libgomp reads the number from the environment when it is loaded, before the
 * program has a say; but a function in the program's .preinit_array runs before that. It puts
 * GOMP_SPINCOUNT=1000 where a variable stands that no library reads so early (PATH, HOME …), since
 * the list of variables has no room for another, and main puts that one back. Nothing is done where
 * OMP_WAIT_POLICY or GOMP_SPINCOUNT is set, or where there is no such variable. */

/* The first thing that main does. */
void spin_count_restore_environment(void);

#endif
