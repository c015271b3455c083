#ifndef COMPARE_FRONT_H
#define COMPARE_FRONT_H

#include <stdbool.h>
#include <stddef.h>

/* Comparing methods at the same new-fact F1. Every finetuning is a point (new_f1, known_f1).
 *
 *  - The front of some points: those than which no other is at least as good in both and better in
 *    one; of points that are equal in both the first.
 *  - The level at which series of points are compared: the highest new_f1 that every series
 * reaches.
 *  - A series' chosen point: the one with the highest known_f1 among those that reach the level (of
 *    equals the higher new_f1, then the smaller learning rate, then the first).
 *  - Its known_f1 at exactly the level: read off the polyline through the front of its points and
 *    the base's, since a method that has not begun has forgotten nothing. */

struct point {
    double lr;
    double new_f1;
    double known_f1;
    bool absent; /* the finetuning diverged: it is no point at all */
};

/* Whether point i is on the front of the n points. */
bool front_has(const struct point *points, size_t n, size_t i);

/* The index of the chosen one of n points; n if none is there. */
size_t front_choose(const struct point *points, size_t n, double level);

/* known_f1 at new_f1 = level. */
double front_known_at(const struct point *points, size_t n, struct point base, double level);

/* 100 * (base - known) / base; 0 if the base knows nothing. */
double front_lost_percent(double base, double known);

#endif
