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
    "mneme tokenize TOKENIZER --decode [--skip-special] [--null]\n"
    "\n"
    "The token ids of the text on standard input, in one line. TOKENIZER is a tokenizer.json or a\n"
    "model folder. Special tokens in the text are one id each; none is added.\n"
    "\n"
    "  --null           every NUL byte ends a text: a line of ids for each\n"
    "  --decode         the other way round: the text of each line of ids, and a line feed\n"
    "  --skip-special   special tokens are left out of it\n"
    "\n"
    "With --decode --null a NUL byte ends each text, not a line feed.\n";

struct tokenize_arguments {
    bool by_null, decodes, skips_special;
};

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

/* Reads the ids of a line, *n of them; the caller frees them. */
static mneme_status read_ids(const char *line, int32_t **ids, size_t *n, mneme_error *error) {
    *ids = calloc(strlen(line) + 1, sizeof **ids);
    *n = 0;
    if (*ids == NULL) {
        snprintf(error->message, sizeof error->message, "standard input: out of memory");
        return error->status = MNEME_FAILED;
    }
    for (char *end; *(line += strspn(line, " \t\r\n")) != '\0'; line = end) {
        errno = 0;
        long id = strtol(line, &end, 10);
        if (end == line || errno != 0 || id < 0 || id > INT32_MAX) {
            snprintf(error->message, sizeof error->message,
                     "standard input: must be lines of token ids");
            return error->status = MNEME_BAD_INPUT;
        }
        (*ids)[(*n)++] = (int32_t)id;
    }
    return MNEME_OK;
}

/* Prints what the ids of a line say. */
static mneme_status print_text(const mneme_tokenizer *tokenizer, const char *line,
                               const struct tokenize_arguments *arguments, mneme_error *error) {
    int32_t *ids;
    size_t n, length;
    char *text = NULL;
    mneme_status status = read_ids(line, &ids, &n, error);
    if (status == MNEME_OK) {
        status =
            mneme_detokenize(tokenizer, ids, n, arguments->skips_special, &text, &length, error);
    }
    if (status == MNEME_OK) {
        fwrite(text, 1, length, stdout);
        putchar(arguments->by_null ? '\0' : '\n');
    }
    free(ids);
    free(text);
    return status;
}

static mneme_status print_texts(const mneme_tokenizer *tokenizer,
                                const struct tokenize_arguments *arguments, mneme_error *error) {
    char *line = NULL;
    size_t capacity = 0;
    mneme_status status = MNEME_OK;
    while (status == MNEME_OK && getline(&line, &capacity, stdin) > 0) {
        status = print_text(tokenizer, line, arguments, error);
    }
    free(line);
    return status;
}

static int print_all(mneme_tokenizer *tokenizer, const struct tokenize_arguments *arguments) {
    mneme_error error = {0};
    mneme_status status = arguments->decodes   ? print_texts(tokenizer, arguments, &error)
                          : arguments->by_null ? print_each(tokenizer, &error)
                                               : print_whole(tokenizer, &error);
    if (ferror(stdin)) {
        fprintf(stderr, "mneme tokenize: standard input: cannot read: %s\n", strerror(errno));
        return MNEME_FAILED;
    }
    return status == MNEME_OK ? 0 : arguments_report(&usage, &error);
}

int command_tokenize(int argc, char **argv) {
    struct tokenize_arguments arguments = {0};
    int status;
    const struct argument options[] = {{"null", .flag = &arguments.by_null},
                                       {"decode", .flag = &arguments.decodes},
                                       {"skip-special", .flag = &arguments.skips_special},
                                       {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
    mneme_error error = {0};
    mneme_tokenizer *tokenizer;
    if (mneme_tokenizer_open(argv[optind], &tokenizer, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    status = print_all(tokenizer, &arguments);
    mneme_tokenizer_close(tokenizer);
    return status;
}
