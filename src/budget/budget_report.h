#ifndef BUDGET_BUDGET_REPORT_H
#define BUDGET_BUDGET_REPORT_H

#include "budget/budget.h"

/* A budget as a table for a terminal, or as JSON; malloc'ed. NULL without memory. */
char *budget_report(const struct budget *budget, bool as_json);

#endif
