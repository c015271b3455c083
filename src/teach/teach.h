#ifndef TEACH_TEACH_H
#define TEACH_TEACH_H

#include <mneme/teach.h>

/* mneme_teach of <mneme/teach.h>. */
mneme_status teach_run(const mneme_teach_options *options, char **report_text, mneme_error *error);

#endif
