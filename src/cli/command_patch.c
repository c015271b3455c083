#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/patch.h>

#include "cli/arguments.h"
#include "cli/commands.h"

static const char help[] =
    "mneme patch info PATCH [--json]\n"
    "mneme patch apply MODEL PATCH --out FOLDER\n"
    "mneme patch undo PATCH --last N --out PATCH2\n"
    "mneme patch diff PATCH PATCH2 [--json]\n"
    "\n"
    "What to do with a patch that mneme teach wrote: what sparse memory finetuning changed in a\n"
    "model, fact by fact.\n"
    "\n"
    "info   the model that it fits, rows, size, what taught it, and the facts\n"
    "apply  makes the model folder FOLDER, which must be new or empty, of MODEL and the patch\n"
    "undo   writes the patch as it was before its last N facts were taught, bit for bit\n"
    "diff   facts and rows in which two patches of one model differ, and the biggest change. Exit\n"
    "       status 1 when there are any\n"
    "\n"
    "  --out PATH  where to: a folder, or a patch, which may be the one that is read\n"
    "  --last N    how many facts\n"
    "  --json      as JSON, with all facts\n"
    "\n"
    "A patch of another model, a damaged one, or one of a newer mneme is refused.\n";

static const struct usage usage = {"patch", help, 0};

struct patch_arguments {
    const char *out;
    size_t last;
    bool json;
    const char *first, *second; /* operands after the verb */
};

static int info(const struct patch_arguments *arguments) {
    mneme_error error = {0};
    char *text = NULL;
    if (mneme_patch_info(arguments->first, arguments->json, &text, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    fputs(text, stdout);
    free(text);
    return 0;
}

static int apply(const struct patch_arguments *arguments) {
    mneme_error error = {0};
    if (arguments->out == NULL) return arguments_refuse(&usage, "apply needs --out");
    if (mneme_patch_apply(arguments->first, arguments->second, arguments->out, &error) !=
        MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    printf("%s: %s with %s\n", arguments->out, arguments->first, arguments->second);
    return 0;
}

static int undo(const struct patch_arguments *arguments) {
    mneme_error error = {0};
    if (arguments->out == NULL) return arguments_refuse(&usage, "undo needs --out");
    if (arguments->last == 0) return arguments_refuse(&usage, "undo needs --last");
    if (mneme_patch_undo(arguments->first, arguments->last, arguments->out, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    printf("%s: %s without the last %zu\n", arguments->out, arguments->first, arguments->last);
    return 0;
}

static int diff(const struct patch_arguments *arguments) {
    mneme_error error = {0};
    char *text = NULL;
    bool same = false;
    if (mneme_patch_diff(arguments->first, arguments->second, arguments->json, &text, &same,
                         &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    fputs(text, stdout);
    free(text);
    return same ? 0 : 1;
}

static const struct verb {
    const char *name;
    int n_operands; /* with the verb itself */
    int (*run)(const struct patch_arguments *arguments);
} verbs[] = {{"info", 2, info}, {"apply", 3, apply}, {"undo", 2, undo}, {"diff", 3, diff}};

int command_patch(int argc, char **argv) {
    struct patch_arguments arguments = {0};
    int status;
    const struct argument options[] = {{"out", .text = &arguments.out},
                                       {"last", .count = &arguments.last},
                                       {"json", .flag = &arguments.json},
                                       {0}};
    if (!arguments_options(&usage, options, argc, argv, &status)) return status;
    const char *name = optind < argc ? argv[optind] : "";
    if (argc - optind > 3 && !arguments_operands(&usage, 3, argc, argv, &status)) return status;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(name, verbs[i].name) != 0) continue;
        if (!arguments_operands(&usage, verbs[i].n_operands, argc, argv, &status)) return status;
        arguments.first = argv[optind + 1];
        arguments.second = argv[optind + 2];
        return verbs[i].run(&arguments);
    }
    return arguments_refuse(&usage, "info, apply, undo or diff, not '%s'", name);
}
