#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/generate.h>
#include <mneme/matmul.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"

static const char help[] =
    "mneme generate MODEL PROMPT [--max-tokens N] [--matmul canonical|onednn]\n"
    "               " MEASURING_USAGE
    "\n"
    "\n"
    "Continues the prompt with the model in the folder MODEL (config.json, model.safetensors,\n"
    "tokenizer.json), always by the likeliest token, until the text ends.\n"
    "\n"
    "  --max-tokens N   at most this many tokens (default 64)\n"
    "  --matmul onednn  dense products by oneDNN, for comparing: the text is not canonical "
    "then\n" MEASURING_HELP;

enum { OPTION_MAX_TOKENS = 1, OPTION_MATMUL };

static const struct option options[] = {{"max-tokens", required_argument, NULL, OPTION_MAX_TOKENS},
                                        {"matmul", required_argument, NULL, OPTION_MATMUL},
                                        MEASURING_OPTIONS,
                                        {0}};

static const struct usage usage = {"generate", help, options, 2};

struct generate_arguments {
    size_t max_tokens;
    const char *matmul;
    struct measuring measuring;
};

/* False when the command is to end with *status. */
static bool parse(int argc, char **argv, struct generate_arguments *arguments, int *status) {
    for (int option; (option = arguments_next(&usage, argc, argv, status)) != -1;) {
        if (option == -2) return false;
        bool fine = measuring_option(&usage, option, &arguments->measuring);
        if (option == OPTION_MATMUL) arguments->matmul = optarg;
        if (option == OPTION_MAX_TOKENS) {
            fine = arguments_count(&usage, "max-tokens", optarg, &arguments->max_tokens);
        }
        if (fine) continue;
        *status = MNEME_BAD_INPUT;
        return false;
    }
    *status = MNEME_BAD_INPUT;
    return arguments_operands(&usage, argc, argv);
}

static int generate(const struct generate_arguments *arguments, const char *folder,
                    const char *prompt) {
    mneme_error error = {0};
    mneme_generator *generator = NULL;
    char *text = NULL;
    mneme_status done = mneme_matmul_choose(arguments->matmul, &error);
    if (done == MNEME_OK) done = mneme_generator_open(folder, &generator, &error);
    if (done == MNEME_OK) {
        done = mneme_generate(generator, prompt, arguments->max_tokens, &text, NULL, &error);
    }
    if (done == MNEME_OK && strcmp(arguments->matmul, "canonical") != 0) {
        fprintf(stderr, "mneme generate: not canonical: the matrix products are by %s\n",
                arguments->matmul);
    }
    if (done == MNEME_OK) printf("%s%s\n", prompt, text);
    free(text);
    mneme_generator_close(generator);
    return done == MNEME_OK ? 0 : arguments_report(&usage, &error);
}

int command_generate(int argc, char **argv) {
    struct generate_arguments arguments = {.max_tokens = 64, .matmul = "canonical"};
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    status = measuring_begin(&usage, &arguments.measuring);
    if (status == 0) status = generate(&arguments, argv[optind], argv[optind + 1]);
    return status == 0 ? measuring_end(&usage, &arguments.measuring, 0) : status;
}
