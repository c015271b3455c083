#ifndef INTERCHANGE_INTERCHANGE_H
#define INTERCHANGE_INTERCHANGE_H

#include <mneme/interchange.h>

/* mneme_import and mneme_export. */
mneme_status interchange_import(const char *format, const char *path, const char *folder,
                                const mneme_interchange_options *options,
                                mneme_interchange_result *result, mneme_error *error);
mneme_status interchange_export(const char *format, const char *folder, const char *out,
                                const mneme_interchange_options *options,
                                mneme_interchange_result *result, mneme_error *error);

#endif
