#include <stdio.h>
#include <unistd.h>

#include <mneme/interchange.h>

#include "cli/arguments.h"
#include "cli/commands.h"

static const char help[] =
    "mneme export --to hf|peft MODEL OUT [--dtype f32|bf16|f16] [--force]\n"
    "\n"
    "Writes the model in the folder MODEL for another program into the folder OUT, which must be\n"
    "new or empty.\n"
    "\n"
    "  --to hf   OUT becomes a folder as Hugging Face's transformers reads it: config.json of a\n"
    "            Llama or of the relative that the model is, model.safetensors, tokenizer.json\n"
    "            and the small files beside it. The model has no memory layer\n"
    "  --to peft OUT becomes the LoRA adapter of a finetuning with finetune.lora.keep_adapter, as\n"
    "            Hugging Face's peft reads it. MODEL is the finetuning's folder\n"
    "  --dtype   f32, bf16 or f16: the type of all weights in OUT, rounded to the nearest. Without "
    "it\n"
    "            each keeps the type that it has in MODEL. An adapter is always f32\n"
    "  --force   a model that lies in OUT gives way to the new one, whole\n";

static const struct usage usage = {"export", help, 2};

int command_export(int argc, char **argv) {
    const char *format = NULL;
    int status;
    bool replace = false;
    mneme_interchange_options options = {0};
    const struct argument arguments[] = {{"to", .text = &format, .needed = true},
                                         {"dtype", .text = &options.dtype},
                                         {"force", .flag = &replace},
                                         {0}};
    if (!arguments_parse(&usage, arguments, argc, argv, &status)) return status;
    options.replace = replace;
    mneme_interchange_result result;
    mneme_error error = {0};
    const char *folder = argv[optind + 1];
    if (mneme_export(format, argv[optind], folder, &options, &result, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    printf("%s: %zu tensors, %zu parameters, %s\n", folder, result.n_tensors, result.n_parameters,
           result.has_tokenizer ? "with tokenizer" : "no tokenizer");
    if (result.tokenizer_problem[0] != '\0') {
        fprintf(stderr, "mneme export: no tokenizer: %s\n", result.tokenizer_problem);
    }
    return 0;
}
