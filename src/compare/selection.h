#ifndef COMPARE_SELECTION_H
#define COMPARE_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

/* Comparing methods at the same new-fact F1. Every method was run once per learning rate of its
 * sweep; each run is a point (new_f1, known_f1). The rule is the same for all:
 *
 *  - level: the highest new-fact F1 that every method reaches with some learning rate, the least
 *    over the methods of the greatest over their runs;
 *  - a method's chosen run: the one with the highest known_f1 among its runs that reach the level
 *    (of equals the higher new_f1, then the smaller learning rate);
 *  - its known_f1 at exactly the level: read off the polyline through its Pareto front, the base
 *    model's point included, since a method that has not begun has forgotten nothing. */

struct sweep_point {
    double lr;
    double new_f1;
    double known_f1;
};

struct sweep {
    const struct sweep_point *points;
    size_t n; /* at least 1 */
};

double selection_level(const struct sweep *sweeps, size_t n_sweeps);

/* Index of the chosen point. */
size_t selection_choose(const struct sweep *sweep, double level);

/* known_f1 on the front at new_f1 = level. */
double selection_known_at(const struct sweep *sweep, struct sweep_point base, double level);

/* 100 * (base - known) / base; 0 if the base knows nothing. */
double selection_drop_percent(double base, double known);

#endif
