#include <stdio.h>

#include <mneme/interchange.h>

#include "cli/arguments.h"
#include "cli/commands.h"

static const char help[] =
    "mneme export --to hf MODEL OUT\n"
    "\n"
    "Writes the model in the folder MODEL, which has no memory layer, for another program.\n"
    "\n"
    "  --to hf   OUT becomes a Llama folder as Hugging Face's transformers reads it: config.json,\n"
    "            model.safetensors, tokenizer.json\n";

enum { OPTION_TO = 1 };

static const struct option options[] = {{"to", required_argument, NULL, OPTION_TO}, {0}};

static const struct usage usage = {"export", help, options, 2};

int command_export(int argc, char **argv) {
    const char *format = NULL;
    int status = 0;
    for (int option; (option = arguments_next(&usage, argc, argv, &status)) != -1;) {
        if (option == -2) return status;
        if (option == OPTION_TO) format = optarg;
    }
    if (!arguments_operands(&usage, argc, argv)) return MNEME_BAD_INPUT;
    if (format == NULL) {
        fputs("mneme export: --to is needed (see mneme export --help)\n", stderr);
        return MNEME_BAD_INPUT;
    }
    mneme_interchange_result result;
    mneme_error error = {0};
    const char *folder = argv[optind + 1];
    if (mneme_export(format, argv[optind], folder, &result, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    printf("%s: %zu tensors, %zu parameters, %s\n", folder, result.n_tensors, result.n_parameters,
           result.has_tokenizer ? "with tokenizer" : "no tokenizer");
    if (result.tokenizer_problem[0] != '\0') {
        fprintf(stderr, "mneme export: no tokenizer: %s\n", result.tokenizer_problem);
    }
    return 0;
}
