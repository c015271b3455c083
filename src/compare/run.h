#ifndef COMPARE_RUN_H
#define COMPARE_RUN_H

#include <mneme/run.h>

mneme_status run_recipe(const mneme_run_options *options, char **table, mneme_error *error);

#endif
