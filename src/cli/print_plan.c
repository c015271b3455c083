#include "cli/print_plan.h"

#include <stdio.h>
#include <stdlib.h>

int print_plan(const struct usage *usage, mneme_status done, char *plan, const mneme_error *error) {
    if (done != MNEME_OK) return arguments_report(usage, error);
    fputs(plan, stdout);
    free(plan);
    return 0;
}
