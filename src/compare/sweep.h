#ifndef COMPARE_SWEEP_H
#define COMPARE_SWEEP_H

#include <mneme/sweep.h>

mneme_status sweep_recipe(const mneme_run_options *options, char **report, mneme_error *error);

#endif
