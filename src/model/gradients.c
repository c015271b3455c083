#include "model/gradients.h"

#include <stdlib.h>

#include "nn/elementwise.h"

/* Elements of all listed tables of a kind. */
static size_t count_of(size_t n, struct parameter *const *trained, enum parameter_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (trained[i]->kind == kind) count += trained[i]->count;
    }
    return count;
}

/* Tables of a kind lie side by side. */
static void place_tables(struct gradients *g, size_t n, struct parameter *const *trained,
                         enum parameter_kind kind, float *table) {
    for (size_t i = 0; i < n; i++) {
        if (trained[i]->kind != kind) continue;
        g->arrays[trained[i]->index] = table;
        table += trained[i]->count;
    }
}

static mneme_status place(struct gradients *g, size_t n, struct parameter *const *trained,
                          struct arena_piece *pieces, mneme_error *error) {
    float *values, *values_u;
    size_t n_pieces = 0;
    pieces[n_pieces++] =
        (struct arena_piece){&values, count_of(n, trained, PARAMETER_VALUES), sizeof(float)};
    pieces[n_pieces++] =
        (struct arena_piece){&values_u, count_of(n, trained, PARAMETER_VALUES_U), sizeof(float)};
    for (size_t i = 0; i < n; i++) {
        struct arena_piece piece = {&g->arrays[trained[i]->index], trained[i]->count,
                                    sizeof(float)};
        if (trained[i]->kind == PARAMETER_COMMON) pieces[n_pieces++] = piece;
        if ((trained[i]->roles & ROLE_TIED) != ROLE_TIED) continue;
        g->tied = trained[i];
        piece.place = &g->tied_output;
        pieces[n_pieces++] = piece;
    }
    TRY(arena_layout(&g->arena, n_pieces, pieces, "gradients", error));
    place_tables(g, n, trained, PARAMETER_VALUES, values);
    place_tables(g, n, trained, PARAMETER_VALUES_U, values_u);
    return MNEME_OK;
}

mneme_status gradients_open(struct gradients *g, size_t n, struct parameter *const *trained,
                            mneme_error *error) {
    *g = (struct gradients){0};
    if (n == 0) return MNEME_OK;
    for (size_t i = 0; i < n; i++) {
        if (trained[i]->index >= g->n) g->n = trained[i]->index + 1;
    }
    g->arrays = calloc(g->n, sizeof *g->arrays);
    struct arena_piece *pieces = calloc(n + 3, sizeof *pieces);
    mneme_status status = MNEME_OK;
    if (g->arrays == NULL || pieces == NULL) status = error_set_memory(error, "gradients");
    THEN(place(g, n, trained, pieces, error));
    free(pieces);
    if (status != MNEME_OK) gradients_close(g);
    return status;
}

void gradients_close(struct gradients *g) {
    free(g->arrays);
    arena_close(&g->arena);
    *g = (struct gradients){0};
}

float *gradient_of(const struct gradients *g, const struct parameter *parameter) {
    return parameter->index < g->n ? g->arrays[parameter->index] : NULL;
}

void gradients_join_tied(struct gradients *g) {
    if (g->tied == NULL) return;
    elementwise_add(g->tied->count, g->tied_output, gradient_of(g, g->tied));
}
