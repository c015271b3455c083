#include <stdio.h>
#include <unistd.h>

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

static const struct usage usage = {"export", help, 2};

int command_export(int argc, char **argv) {
    const char *format = NULL;
    int status;
    const struct argument options[] = {{"to", .text = &format, .needed = true}, {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
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
