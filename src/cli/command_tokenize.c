#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/tokenize.h>

#include "cli/arguments.h"
#include "cli/commands.h"

static const char help[] =
    "mneme tokenize TOKENIZER [--null]\n"
    "\n"
    "The token ids of the text on standard input, in one line. TOKENIZER is a tokenizer.json or a\n"
    "model folder. Special tokens in the text are one id each; none is added.\n"
    "\n"
    "  --null   every NUL byte ends a text: a line of ids for each\n";

static const struct usage usage = {"tokenize", help, 1};

/* A line of ids. */
static mneme_status print_ids(mneme_tokenizer *tokenizer, const char *text, size_t length,
                              mneme_error *error) {
    int32_t *ids;
    size_t n;
    mneme_status status = mneme_tokenize(tokenizer, text, length, &ids, &n, error);
    if (status != MNEME_OK) return status;
    for (size_t i = 0; i < n; i++) printf(i == 0 ? "%d" : " %d", (int)ids[i]);
    putchar('\n');
    free(ids);
    return MNEME_OK;
}

static mneme_status print_each(mneme_tokenizer *tokenizer, mneme_error *error) {
    char *text = NULL;
    size_t capacity = 0;
    mneme_status status = MNEME_OK;
    ssize_t length;
    while (status == MNEME_OK && (length = getdelim(&text, &capacity, '\0', stdin)) > 0) {
        if (text[length - 1] == '\0') length--;
        status = print_ids(tokenizer, text, (size_t)length, error);
    }
    free(text);
    return status;
}

/* All of it, whatever bytes there are. */
static mneme_status print_whole(mneme_tokenizer *tokenizer, mneme_error *error) {
    char part[BUFSIZ], *text = NULL;
    size_t n, length = 0;
    FILE *whole = open_memstream(&text, &length);
    bool kept = whole != NULL;
    while (kept && (n = fread(part, 1, sizeof part, stdin)) > 0) {
        kept = fwrite(part, 1, n, whole) == n;
    }
    kept = whole != NULL && fclose(whole) == 0 && kept;
    mneme_status status = MNEME_OK;
    if (!kept) {
        snprintf(error->message, sizeof error->message, "standard input: out of memory");
        status = error->status = MNEME_FAILED;
    } else if (length > 0) {
        status = print_ids(tokenizer, text, length, error);
    }
    free(text);
    return status;
}

static int print_all(mneme_tokenizer *tokenizer, bool by_null) {
    mneme_error error = {0};
    mneme_status status = (by_null ? print_each : print_whole)(tokenizer, &error);
    if (ferror(stdin)) {
        fprintf(stderr, "mneme tokenize: standard input: cannot read: %s\n", strerror(errno));
        return MNEME_FAILED;
    }
    return status == MNEME_OK ? 0 : arguments_report(&usage, &error);
}

int command_tokenize(int argc, char **argv) {
    bool by_null = false;
    int status;
    const struct argument options[] = {{"null", .flag = &by_null}, {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
    mneme_error error = {0};
    mneme_tokenizer *tokenizer;
    if (mneme_tokenizer_open(argv[optind], &tokenizer, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    status = print_all(tokenizer, by_null);
    mneme_tokenizer_close(tokenizer);
    return status;
}
