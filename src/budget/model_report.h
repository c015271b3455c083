#ifndef BUDGET_MODEL_REPORT_H
#define BUDGET_MODEL_REPORT_H

#include <stdbool.h>

#include "base/error.h"

/* What a model folder holds, and what its tokens take, as text or JSON; malloc'ed. */
mneme_status model_report(const char *folder, bool as_json, char **report, mneme_error *error);

#endif
