#include <stdio.h>
#include <unistd.h>

#include <mneme/interchange.h>

#include "cli/arguments.h"
#include "cli/commands.h"

static const char help[] =
    "mneme import PATH MODEL [--from hf|gguf|lingua|llama2c|mneme] [--adapter DIR]\n"
    "             [--dtype f32|bf16|f16] [--force]\n"
    "\n"
    "Makes the model folder MODEL, which must be new or empty, from another program's model. What\n"
    "PATH is shows in its content; --from says it.\n"
    "\n"
    "  --from hf       PATH is a Llama, Mistral, Qwen2 or Qwen3 as Hugging Face's transformers "
    "writes\n"
    "                  it: a folder with config.json, model.safetensors or its shards, and\n"
    "                  tokenizer.json where mneme can read it\n"
    "  --from gguf     PATH is one of these in a GGUF file, as llama.cpp has them, quantized or "
    "not;\n"
    "                  quantized weights are widened to f32\n"
    "  --from lingua   PATH is a Meta Lingua checkpoint, with memory layers or without: "
    "params.json\n"
    "                  and model.safetensors (consolidated.pth has to be converted first)\n"
    "  --from llama2c  PATH is a .bin file of llama2.c, version 0; it has no tokenizer, so the "
    "model\n"
    "                  continues token ids (mneme generate --ids)\n"
    "  --from mneme    PATH is a model folder of mneme's own, to be written in another type\n"
    "  --adapter DIR   a LoRA adapter of Hugging Face's peft, adapter_config.json and\n"
    "                  adapter_model.safetensors, is merged into the weights\n"
    "  --dtype TYPE    f32, bf16 or f16: the type in which all weights are written, rounded to "
    "the\n"
    "                  nearest. Without it every weight keeps its type, and quantized ones are "
    "f32;\n"
    "                  weights of 16 bits stay so in memory, and are computed with as f32\n"
    "  --force         a model that lies in MODEL gives way to the new one, whole\n";

static const struct usage usage = {"import", help, 2};

int command_import(int argc, char **argv) {
    const char *format = NULL;
    int status;
    bool replace = false;
    mneme_interchange_options options = {0};
    const struct argument arguments[] = {{"from", .text = &format},
                                         {"adapter", .text = &options.adapter},
                                         {"dtype", .text = &options.dtype},
                                         {"force", .flag = &replace},
                                         {0}};
    if (!arguments_parse(&usage, arguments, argc, argv, &status)) return status;
    options.replace = replace;
    mneme_interchange_result result;
    mneme_error error = {0};
    const char *folder = argv[optind + 1];
    if (mneme_import(format, argv[optind], folder, &options, &result, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    printf("%s: %zu tensors, %zu parameters, %s\n", folder, result.n_tensors, result.n_parameters,
           result.has_tokenizer ? "with tokenizer" : "no tokenizer");
    if (result.tokenizer_problem[0] != '\0') {
        fprintf(stderr, "mneme import: no tokenizer: %s\n", result.tokenizer_problem);
    }
    if (result.lost_background) {
        fprintf(stderr,
                "mneme import: no background.safetensors: it was counted with weights that "
                "have been rounded\n");
    }
    return 0;
}
