#ifndef SLOTS_SLOTS_H
#define SLOTS_SLOTS_H

#include <mneme/slots.h>

mneme_status slots_view(const mneme_slots_options *options, char **report, mneme_error *error);

#endif
