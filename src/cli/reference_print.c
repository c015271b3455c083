#include "cli/reference_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/json_print.h"

static void print_row(const mneme_reference_row *row, const mneme_equivalence *e, int width) {
    printf("  %-*s", width, row->tensor);
    if (row->is_selection) {
        printf("  %zu of %zu the same", row->n - row->different, row->n);
        if (row->near_ties > 0) printf(", %zu near ties", row->near_ties);
    } else {
        printf("  %9.2e %8.2f  %9.2e %8.2f", row->ours.relative, row->ours.ulp,
               row->theirs.relative, row->theirs.ulp);
    }
    if (!row->equivalent) fputs("  NOT EQUIVALENT", stdout);
    if (row->equivalent && !row->within_here) {
        printf("  (same inputs %.2e %.2f)", row->here.relative, row->here.ulp);
    }
    if (strcmp(row->isas, e->isas) != 0) printf("  (%s)", row->isas);
    putchar('\n');
}

void reference_print_text(const mneme_equivalence *e) {
    int width = 6;
    bool same = true;
    for (size_t i = 0; i < e->n_rows; i++) {
        int length = (int)strlen(e->rows[i].tensor);
        if (length > width) width = length;
        same = same && strcmp(e->rows[i].isas, e->isas) == 0;
    }
    printf("  %-*s  %18s  %18s\n", width, "", "mneme", "PyTorch float32");
    printf("  %-*s  %9s %8s  %9s %8s\n", width, "tensor", "rel. L2", "worst", "rel. L2", "worst");
    for (size_t i = 0; i < e->n_rows; i++) {
        if (i == 0 || strcmp(e->rows[i].name, e->rows[i - 1].name) != 0) puts(e->rows[i].name);
        print_row(&e->rows[i], e, width);
    }
    printf("%zu cases, %zu tensors, %zu not equivalent to PyTorch %s\n", e->n_cases, e->n_rows,
           e->n_different, e->torch);
    printf(
        "on the same inputs alone: mneme is more than 1.5 times as far off as PyTorch in %zu "
        "tensors, PyTorch as mneme in %zu\n",
        e->n_beyond_here, e->n_here_beyond);
    printf("instruction sets: %s%s\n", e->isas, same ? ", the same bits on each" : "");
}

/* JSON has no infinity. */
static void print_error(const char *name, const mneme_reference_error *error) {
    printf(", \"%s\": {\"relative\": %.6g, \"ulp\": %.6g}", name,
           isfinite(error->relative) ? error->relative : 1e300,
           isfinite(error->ulp) ? error->ulp : 1e300);
}

void reference_print_json(const mneme_equivalence *e) {
    printf("{\"equivalent\": %s, \"torch\": ", e->equivalent ? "true" : "false");
    json_print_string(stdout, e->torch);
    printf(", \"isas\": \"%s\", \"cases\": %zu, \"rows\": [", e->isas, e->n_cases);
    for (size_t i = 0; i < e->n_rows; i++) {
        const mneme_reference_row *row = &e->rows[i];
        printf("%s\n  {\"case\": ", i > 0 ? "," : "");
        json_print_string(stdout, row->name);
        fputs(", \"tensor\": ", stdout);
        json_print_string(stdout, row->tensor);
        printf(", \"isas\": \"%s\", \"n\": %zu", row->isas, row->n);
        if (row->is_selection) {
            printf(", \"different\": %zu, \"near_ties\": %zu", row->different, row->near_ties);
        } else {
            print_error("ours", &row->ours);
            print_error("pytorch", &row->theirs);
            print_error("pytorch_same_inputs", &row->here);
        }
        printf(", \"within_same_inputs\": %s", row->within_here ? "true" : "false");
        printf(", \"pytorch_within_same_inputs\": %s", row->here_within ? "true" : "false");
        printf(", \"equivalent\": %s}", row->equivalent ? "true" : "false");
    }
    puts("]}");
}
