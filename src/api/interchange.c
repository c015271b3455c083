#include <mneme/interchange.h>

#include "interchange/interchange.h"

mneme_status mneme_import(const char *format, const char *path, const char *folder,
                          const mneme_interchange_options *options,
                          mneme_interchange_result *result, mneme_error *error) {
    return interchange_import(format, path, folder, options, result, error);
}

mneme_status mneme_export(const char *format, const char *folder, const char *out,
                          const mneme_interchange_options *options,
                          mneme_interchange_result *result, mneme_error *error) {
    return interchange_export(format, folder, out, options, result, error);
}
