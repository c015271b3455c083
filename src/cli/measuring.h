#ifndef CLI_MEASURING_H
#define CLI_MEASURING_H

#include <stdbool.h>

#include "cli/arguments.h"

/* --profile and --pin, which every command takes that computes for long. */

/* Away from the commands' own values, the last that arguments.h allows. */
enum { OPTION_PROFILE = 15, OPTION_PIN = 16 };

/* For a list of options, and for a help text. */
#define MEASURING_OPTIONS                                   \
    {"profile", optional_argument, NULL, OPTION_PROFILE}, { \
        "pin", no_argument, NULL, OPTION_PIN                \
    }
#define MEASURING_USAGE "[--profile[=FILE]] [--pin]"
#define MEASURING_HELP                                                                             \
    "  --profile[=FILE] afterwards, on standard error, where the time went (docs/profiling.md);\n" \
    "                   FILE gets it as JSON, FILE's name with .svg a roofline plot\n"             \
    "  --pin            every thread stays on a CPU of its own\n"

struct measuring {
    bool profile, pin;
    const char *file; /* NULL: no JSON */
};

/* Takes one of the two options; others are not looked at. Says what is wrong with it and returns
 * false. */
bool measuring_option(const struct usage *usage, int option, struct measuring *measuring);

/* Call before the work: pins, starts the profile. An exit status, 0 to go on; says what is wrong.
 */
int measuring_begin(const struct usage *usage, const struct measuring *measuring);

/* Call after work that went well enough for a result, which has exit status `status`: shows and
 * writes the profile. Returns the exit status of the command. */
int measuring_end(const struct usage *usage, const struct measuring *measuring, int status);

#endif
