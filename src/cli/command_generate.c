#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/generate.h>
#include <mneme/matmul.h>

#include "cli/arguments.h"
#include "cli/commands.h"

static const char help[] =
    "mneme generate MODEL PROMPT [--max-tokens N] [--matmul canonical|onednn]\n"
    "\n"
    "Continues the prompt with the model in the folder MODEL (config.json, model.safetensors,\n"
    "tokenizer.json), always by the likeliest token, until the text ends.\n"
    "\n"
    "  --max-tokens N   at most this many tokens (default 64)\n"
    "  --matmul onednn  dense products by oneDNN, for comparing: the text is not canonical then\n";

enum { OPTION_MAX_TOKENS = 1, OPTION_MATMUL };

static const struct option options[] = {{"max-tokens", required_argument, NULL, OPTION_MAX_TOKENS},
                                        {"matmul", required_argument, NULL, OPTION_MATMUL},
                                        {0}};

static const struct usage usage = {"generate", help, options, 2};

int command_generate(int argc, char **argv) {
    size_t max_tokens = 64;
    const char *matmul = "canonical";
    int status = 0;
    for (int option; (option = arguments_next(&usage, argc, argv, &status)) != -1;) {
        if (option == -2) return status;
        if (option == OPTION_MATMUL) matmul = optarg;
        if (option == OPTION_MAX_TOKENS &&
            !arguments_count(&usage, "max-tokens", optarg, &max_tokens)) {
            return MNEME_BAD_INPUT;
        }
    }
    if (!arguments_operands(&usage, argc, argv)) return MNEME_BAD_INPUT;
    mneme_error error = {0};
    mneme_generator *generator = NULL;
    char *text = NULL;
    mneme_status done = mneme_matmul_choose(matmul, &error);
    if (done == MNEME_OK) done = mneme_generator_open(argv[optind], &generator, &error);
    if (done == MNEME_OK) {
        done = mneme_generate(generator, argv[optind + 1], max_tokens, &text, NULL, &error);
    }
    if (done == MNEME_OK && strcmp(matmul, "canonical") != 0) {
        fprintf(stderr, "mneme generate: not canonical: the matrix products are by %s\n", matmul);
    }
    if (done == MNEME_OK) printf("%s%s\n", argv[optind + 1], text);
    free(text);
    mneme_generator_close(generator);
    return done == MNEME_OK ? 0 : arguments_report(&usage, &error);
}
