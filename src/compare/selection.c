#include "compare/selection.h"

double selection_level(const struct sweep *sweeps, size_t n_sweeps) {
    double level = 1.0;
    for (size_t s = 0; s < n_sweeps; s++) {
        double best = 0.0;
        for (size_t i = 0; i < sweeps[s].n; i++) {
            if (sweeps[s].points[i].new_f1 > best) best = sweeps[s].points[i].new_f1;
        }
        if (best < level) level = best;
    }
    return level;
}

static bool better(const struct sweep_point *a, const struct sweep_point *b) {
    if (a->known_f1 != b->known_f1) return a->known_f1 > b->known_f1;
    if (a->new_f1 != b->new_f1) return a->new_f1 > b->new_f1;
    return a->lr < b->lr;
}

size_t selection_choose(const struct sweep *sweep, double level) {
    size_t chosen = sweep->n;
    for (size_t i = 0; i < sweep->n; i++) {
        if (sweep->points[i].new_f1 < level) continue;
        if (chosen == sweep->n || better(&sweep->points[i], &sweep->points[chosen])) chosen = i;
    }
    return chosen < sweep->n ? chosen : 0;
}

/* Point i of the sweep, or the base after the last. */
static struct sweep_point point_at(const struct sweep *sweep, struct sweep_point base, size_t i) {
    return i < sweep->n ? sweep->points[i] : base;
}

static bool on_front(const struct sweep *sweep, struct sweep_point base, size_t i) {
    struct sweep_point p = point_at(sweep, base, i);
    for (size_t j = 0; j <= sweep->n; j++) {
        struct sweep_point q = point_at(sweep, base, j);
        bool as_good = q.new_f1 >= p.new_f1 && q.known_f1 >= p.known_f1;
        bool same = q.new_f1 == p.new_f1 && q.known_f1 == p.known_f1;
        if (as_good && (!same || j < i)) return false;
    }
    return true;
}

double selection_known_at(const struct sweep *sweep, struct sweep_point base, double level) {
    struct sweep_point below = {.new_f1 = -1.0}, above = {.new_f1 = 2.0};
    for (size_t i = 0; i <= sweep->n; i++) {
        struct sweep_point p = point_at(sweep, base, i);
        if (!on_front(sweep, base, i)) continue;
        if (p.new_f1 <= level && p.new_f1 > below.new_f1) below = p;
        if (p.new_f1 >= level && p.new_f1 < above.new_f1) above = p;
    }
    if (above.new_f1 > 1.0) return below.known_f1;
    if (below.new_f1 < 0.0 || above.new_f1 == below.new_f1) return above.known_f1;
    double share = (level - below.new_f1) / (above.new_f1 - below.new_f1);
    return below.known_f1 + share * (above.known_f1 - below.known_f1);
}

double selection_drop_percent(double base, double known) {
    return base > 0.0 ? 100.0 * (base - known) / base : 0.0;
}
