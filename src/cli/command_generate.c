#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/generate.h>
#include <mneme/matmul.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"

static const char help[] =
    "mneme generate MODEL PROMPT [--patch PATCH] [--max-tokens N] [--ids]\n"
    "               [--matmul canonical|onednn] " MEASURING_USAGE
    "\n"
    "\n"
    "Continues the prompt with the model in the folder MODEL (config.json, model.safetensors,\n"
    "tokenizer.json), always by the likeliest token, until the text ends. The text is shown as it "
    "comes.\n"
    "\n"
    "  --patch PATCH    with what mneme teach taught it\n"
    "  --max-tokens N   at most this many tokens (default 64)\n"
    "  --ids            PROMPT and output are token ids with blanks between; no id ends the text.\n"
    "                   For models without tokenizer.json\n"
    "  --matmul onednn  computes dense products by oneDNN, for comparison: not "
    "canonical\n" MEASURING_HELP;

/* More than the generator takes. */
#define MAX_IDS 8192

static const struct usage usage = {"generate", help, 2};

struct generate_arguments {
    size_t max_tokens;
    const char *matmul, *patch;
    bool by_ids;
    struct measuring measuring;
};

/* Ids with blanks between, into ids [room]; false for anything else. */
static bool parse_ids(const char *text, int32_t *ids, size_t room, size_t *n) {
    *n = 0;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        char *end;
        errno = 0;
        long id = strtol(text, &end, 10);
        bool fine = end != text && (*end == ' ' || *end == '\0') && errno == 0;
        if (!fine || id < 0 || id > INT32_MAX || *n == room) return false;
        ids[(*n)++] = (int32_t)id;
        text = end;
    }
    return true;
}

static mneme_status continue_ids(mneme_generator *generator, const char *prompt, size_t max_tokens,
                                 mneme_error *error) {
    static int32_t given[MAX_IDS], made[MAX_IDS];
    size_t n_given, n_made;
    if (!parse_ids(prompt, given, MAX_IDS, &n_given)) {
        snprintf(error->message, sizeof error->message, "PROMPT: must be token ids, at most %d",
                 MAX_IDS);
        return error->status = MNEME_BAD_INPUT;
    }
    mneme_status done =
        mneme_generate_ids(generator, given, n_given, max_tokens < MAX_IDS ? max_tokens : MAX_IDS,
                           -1, made, &n_made, error);
    if (done != MNEME_OK) return done;
    for (size_t i = 0; i < n_given; i++) printf("%d ", (int)given[i]);
    for (size_t i = 0; i < n_made; i++) printf(i + 1 < n_made ? "%d " : "%d", (int)made[i]);
    putchar('\n');
    return MNEME_OK;
}

/* The prompt stands before the first piece: not where there will be none. */
static void show_piece(const char *piece, void *user) {
    const char **prompt = user;
    printf("%s%s", *prompt, piece);
    fflush(stdout);
    *prompt = "";
}

static mneme_status continue_text(mneme_generator *generator, const char *prompt, size_t max_tokens,
                                  mneme_error *error) {
    char *text = NULL;
    mneme_status done =
        mneme_generate_told(generator, prompt, max_tokens, show_piece, &prompt, &text, NULL, error);
    if (done == MNEME_OK) printf("%s\n", prompt);
    free(text);
    return done;
}

static int generate(const struct generate_arguments *arguments, const char *folder,
                    const char *prompt) {
    mneme_error error = {0};
    mneme_generator *generator = NULL;
    mneme_status done = mneme_matmul_choose(arguments->matmul, &error);
    if (done == MNEME_OK) {
        done = mneme_generator_open_patched(folder, arguments->patch, &generator, &error);
    }
    if (done == MNEME_OK) {
        done = (arguments->by_ids ? continue_ids : continue_text)(generator, prompt,
                                                                  arguments->max_tokens, &error);
    }
    if (done == MNEME_OK && strcmp(arguments->matmul, "canonical") != 0) {
        fprintf(stderr, "mneme generate: not canonical: the matrix products are by %s\n",
                arguments->matmul);
    }
    mneme_generator_close(generator);
    return done == MNEME_OK ? 0 : arguments_report(&usage, &error);
}

int command_generate(int argc, char **argv) {
    struct generate_arguments arguments = {.max_tokens = 64, .matmul = "canonical"};
    int status;
    const struct argument options[] = {{"max-tokens", .count = &arguments.max_tokens},
                                       {"matmul", .text = &arguments.matmul},
                                       {"patch", .text = &arguments.patch},
                                       {"ids", .flag = &arguments.by_ids},
                                       MEASURING_OPTIONS(&arguments.measuring),
                                       {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
    status = measuring_begin(&usage, &arguments.measuring);
    if (status == 0) status = generate(&arguments, argv[optind], argv[optind + 1]);
    return status == 0 ? measuring_end(&usage, &arguments.measuring, 0) : status;
}
