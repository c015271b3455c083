#include "budget/budget.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "budget/bytes_text.h"

/* What long products reach of the measured peak, and updates of the measured bandwidth; attention,
 * norms and short products reach less. */
#define SHARE_OF_ROOF 0.7

void budget_open(struct budget *budget, const char *folder) {
    *budget = (struct budget){0};
    budget->room = machine_room("/", folder);
    rehearsal_begin(&budget->rehearsal);
}

void budget_close(struct budget *budget) {
    if (budget->room.bound == NULL) return;
    rehearsal_end(&budget->rehearsal);
    free(budget->stages);
    *budget = (struct budget){0};
}

void budget_note_process(struct budget *budget, const char *folder) {
    budget->room = machine_room("/", folder);
    rehearsal_mark(&budget->rehearsal);
}

static int by_size(const void *a, const void *b) {
    const struct rehearsal_part *x = a, *y = b;
    return (x->at_peak < y->at_peak) - (x->at_peak > y->at_peak);
}

static void take_parts(struct budget_stage *stage, const struct rehearsal *r) {
    for (size_t i = 0; i < r->n_parts; i++) {
        if (r->parts[i].at_peak > 0) stage->parts[stage->n_parts++] = r->parts[i];
    }
    qsort(stage->parts, stage->n_parts, sizeof *stage->parts, by_size);
}

mneme_status budget_add(struct budget *budget, mneme_status status, const struct stage_needs *needs,
                        mneme_error *error, const char *format, ...) {
    struct rehearsal *r = &budget->rehearsal;
    if (status != MNEME_OK && r->refused == 0) return status;
    TRY(memory_grow((void **)&budget->stages, &budget->capacity, budget->n_stages + 1,
                    sizeof *budget->stages, "the plan", error));
    struct budget_stage *stage = &budget->stages[budget->n_stages++];
    *stage = (struct budget_stage){.memory = budget->room.process + r->peak + r->refused,
                                   .flops = needs->flops,
                                   .moved = needs->moved,
                                   .disk = needs->disk,
                                   .scratch_disk = needs->scratch_disk};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(stage->name, sizeof stage->name, format, arguments);
    va_end(arguments);
    take_parts(stage, r);
    budget->is_refused |= r->refused > 0;
    r->refused = 0;
    rehearsal_mark(r);
    return MNEME_OK;
}

void budget_estimate(struct budget *budget) {
    struct rehearsal *paused = rehearsal_pause(); /* what the measurement takes is real */
    budget->has_roof = roof_measure_briefly(&budget->roof, NULL) == MNEME_OK;
    rehearsal_go_on(paused);
    for (size_t i = 0; budget->has_roof && i < budget->n_stages; i++) {
        struct budget_stage *stage = &budget->stages[i];
        stage->seconds = (1e-9 * stage->flops / budget->roof.gflops +
                          1e-9 * stage->moved / budget->roof.read_gb_per_second) /
                         SHARE_OF_ROOF;
    }
}

size_t budget_peak(const struct budget *budget) {
    size_t peak = 0;
    for (size_t i = 0; i < budget->n_stages; i++) {
        if (budget->stages[i].memory > peak) peak = budget->stages[i].memory;
    }
    return peak;
}

/* The most that is there at a time. */
size_t budget_disk(const struct budget *budget) {
    size_t left = 0, most = 0;
    for (size_t i = 0; i < budget->n_stages; i++) {
        const struct budget_stage *stage = &budget->stages[i];
        left += stage->disk;
        if (left + stage->scratch_disk > most) most = left + stage->scratch_disk;
    }
    return most;
}

static bool memory_fits(const struct budget *budget) {
    return !budget->is_refused && budget_peak(budget) <= budget->room.memory;
}

static bool disk_fits(const struct budget *budget) {
    return budget_disk(budget) <= budget->room.disk;
}

bool budget_fits(const struct budget *budget) {
    return memory_fits(budget) && disk_fits(budget);
}

bool budget_is_waived(void) {
    const char *oversize = getenv("MNEME_OVERSIZE");
    return oversize != NULL && strcmp(oversize, "1") == 0;
}

/* The stage that takes the most memory. */
static const struct budget_stage *largest(const struct budget *budget) {
    const struct budget_stage *found = &budget->stages[0];
    for (size_t i = 1; i < budget->n_stages; i++) {
        if (budget->stages[i].memory > found->memory) found = &budget->stages[i];
    }
    return found;
}

static mneme_status refuse_memory(const struct budget *budget, const char *what,
                                  mneme_error *error) {
    const struct budget_stage *stage = largest(budget);
    char parts[256] = "", needed[BYTES_TEXT], there[BYTES_TEXT], size[BYTES_TEXT];
    for (size_t i = 0; i < stage->n_parts && i < 3; i++) {
        size_t used = strlen(parts);
        snprintf(parts + used, sizeof parts - used, "%s%s %s", i > 0 ? ", " : "",
                 stage->parts[i].name, bytes_text(stage->parts[i].at_peak, size));
    }
    return error_set(error, MNEME_FAILED,
                     "%s: needs %s%s of memory in stage `%s` (%s), but there are %s (%s); see "
                     "--plan; MNEME_OVERSIZE=1 begins all the same",
                     what, budget->is_refused ? "more than " : "",
                     bytes_text(stage->memory, needed), stage->name, parts,
                     bytes_text(budget->room.memory, there), budget->room.bound);
}

mneme_status budget_check(const struct budget *budget, const char *what, mneme_error *error) {
    char needed[BYTES_TEXT], there[BYTES_TEXT];
    if (budget_fits(budget)) return MNEME_OK;
    if (!memory_fits(budget)) return refuse_memory(budget, what, error);
    return error_set(error, MNEME_FAILED,
                     "%s: needs %s on disk, but %s are free there; see --plan; MNEME_OVERSIZE=1 "
                     "begins all the same",
                     what, bytes_text(budget_disk(budget), needed),
                     bytes_text(budget->room.disk, there));
}
