#include "compare/front.h"

static bool better(const struct point *a, const struct point *b) {
    if (a->known_f1 != b->known_f1) return a->known_f1 > b->known_f1;
    if (a->new_f1 != b->new_f1) return a->new_f1 > b->new_f1;
    return a->lr < b->lr;
}

size_t front_choose(const struct point *points, size_t n, double level) {
    size_t chosen = n, first = n;
    for (size_t i = 0; i < n; i++) {
        if (points[i].absent) continue;
        if (first == n) first = i;
        if (points[i].new_f1 < level) continue;
        if (chosen == n || better(&points[i], &points[chosen])) chosen = i;
    }
    return chosen < n ? chosen : first;
}

/* Whether q, which comes before p or after it, keeps p off the front. */
static bool beats(const struct point *q, const struct point *p, bool before) {
    if (q->absent || q->new_f1 < p->new_f1 || q->known_f1 < p->known_f1) return false;
    return before || q->new_f1 > p->new_f1 || q->known_f1 > p->known_f1;
}

bool front_has(const struct point *points, size_t n, size_t i) {
    if (points[i].absent) return false;
    for (size_t j = 0; j < n; j++) {
        if (j != i && beats(&points[j], &points[i], j < i)) return false;
    }
    return true;
}

/* Whether point i of the points and then, as number n, the base is on their front. */
static bool front_with_base_has(const struct point *points, size_t n, const struct point *base,
                                size_t i) {
    if (i == n) {
        for (size_t j = 0; j < n; j++) {
            if (beats(&points[j], base, true)) return false;
        }
        return true;
    }
    return front_has(points, n, i) && !beats(base, &points[i], false);
}

double front_known_at(const struct point *points, size_t n, struct point base, double level) {
    struct point below = {.new_f1 = -1.0}, above = {.new_f1 = 2.0};
    for (size_t i = 0; i <= n; i++) {
        struct point p = i < n ? points[i] : base;
        if (!front_with_base_has(points, n, &base, i)) continue;
        if (p.new_f1 <= level && p.new_f1 > below.new_f1) below = p;
        if (p.new_f1 >= level && p.new_f1 < above.new_f1) above = p;
    }
    if (above.new_f1 > 1.0) return below.known_f1;
    if (below.new_f1 < 0.0 || above.new_f1 == below.new_f1) return above.known_f1;
    double share = (level - below.new_f1) / (above.new_f1 - below.new_f1);
    return below.known_f1 + share * (above.known_f1 - below.known_f1);
}

double front_lost_percent(double base, double known) {
    return base > 0.0 ? 100.0 * (base - known) / base : 0.0;
}
