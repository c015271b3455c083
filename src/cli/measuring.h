#ifndef CLI_MEASURING_H
#define CLI_MEASURING_H

#include <stdbool.h>

#include "cli/arguments.h"

/* --profile and --pin, which every command takes that computes for long. */
struct measuring {
    struct optional_text profile; /* without a name there is no JSON */
    bool pin;
};

/* For a list of options, and for a help text. */
#define MEASURING_OPTIONS(measuring)                  \
    {"profile", .optional = &(measuring)->profile}, { \
        "pin", .flag = &(measuring)->pin              \
    }
#define MEASURING_USAGE "[--profile[=FILE]] [--pin]"
#define MEASURING_HELP                                                                            \
    "  --profile[=FILE] shows at the end, on standard error, where the time went; FILE gets it\n" \
    "                   as JSON, and a roofline plot beside it as .svg (docs/profiling.md)\n"     \
    "  --pin            keeps every thread on a CPU of its own\n"

/* Call before the work: pins, starts the profile. An exit status, 0 to go on; says what is wrong.
 */
int measuring_begin(const struct usage *usage, const struct measuring *measuring);

/* Call after work that went well enough for a result, which has exit status `status`: shows and
 * writes the profile. Returns the exit status of the command. */
int measuring_end(const struct usage *usage, const struct measuring *measuring, int status);

#endif
