#include <stdio.h>
#include <unistd.h>

#include <mneme/digest.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_print.h"

static const char help[] =
    "mneme digest PATH [--json] [--short]\n"
    "\n"
    "SHA-256 of every tensor of a .safetensors file or of a model folder, and of the whole:\n"
    "two people whose last lines agree have the same weights.\n"
    "\n"
    "  --short   only the digest of the whole\n"
    "  --json    as JSON\n";

static const struct usage usage = {"digest", help, 1};

static void print_shape(const mneme_tensor_digest *tensor) {
    putchar('[');
    for (size_t i = 0; i < tensor->rank; i++) printf("%s%zu", i > 0 ? "," : "", tensor->shape[i]);
    putchar(']');
}

static void print_json(const mneme_digest *digest) {
    printf("{\"sha256\": \"%s\", \"canonical\": %s, ", digest->sha256,
           digest->not_canonical[0] == '\0' ? "true" : "false");
    if (digest->not_canonical[0] != '\0') {
        printf("\"matmul\": ");
        json_print_string(stdout, digest->not_canonical);
        printf(", ");
    }
    printf("\"tensors\": [");
    for (size_t i = 0; i < digest->n_tensors; i++) {
        const mneme_tensor_digest *tensor = &digest->tensors[i];
        printf("%s\n  {\"name\": ", i > 0 ? "," : "");
        json_print_string(stdout, tensor->name);
        printf(", \"type\": \"%s\", \"shape\": ", tensor->type);
        print_shape(tensor);
        printf(", \"sha256\": \"%s\"}", tensor->sha256);
    }
    printf("]}\n");
}

static void print_text(const mneme_digest *digest, bool brief) {
    for (size_t i = 0; !brief && i < digest->n_tensors; i++) {
        const mneme_tensor_digest *tensor = &digest->tensors[i];
        printf("%s  %s %s ", tensor->sha256, tensor->name, tensor->type);
        print_shape(tensor);
        putchar('\n');
    }
    printf(brief ? "%s\n" : "%s  (all)\n", digest->sha256);
    if (digest->not_canonical[0] == '\0') return;
    fprintf(stderr, "mneme digest: not canonical: the numbers are by %s, and others get others\n",
            digest->not_canonical);
}

int command_digest(int argc, char **argv) {
    bool json = false, brief = false;
    int status;
    const struct argument options[] = {{"json", .flag = &json}, {"short", .flag = &brief}, {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
    mneme_error error = {0};
    mneme_digest digest;
    if (mneme_digest_path(argv[optind], &digest, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    if (json) {
        print_json(&digest);
    } else {
        print_text(&digest, brief);
    }
    mneme_digest_free(&digest);
    return 0;
}
