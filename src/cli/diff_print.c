#include "cli/diff_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/json_print.h"

#define MOST_TENSORS 20

static void print_ulp(uint64_t ulp) {
    if (ulp == UINT64_MAX) {
        fputs("NaN", stdout);
    } else {
        printf("%" PRIu64 " ULP", ulp);
    }
}

static void print_values(const mneme_value_pair *value) {
    printf("a %.9g (%a)   b %.9g (%a)   ", value->a, value->a, value->b, value->b);
    print_ulp(value->ulp);
    putchar('\n');
}

static void print_same_trails(const mneme_trail_difference *trails) {
    printf("trails: %zu stages, %zu steps: the same\n", trails->n_stages, trails->n_compared);
    if (trails->file == NULL) {
        printf("files: %zu of both: the same\n", trails->n_files);
    } else {
        printf(
            "files: %s differs, though the trails are the same: one is damaged or was changed\n"
            "  %s\n",
            trails->file, trails->file_cause);
    }
}

static void print_trails(const mneme_trail_difference *trails) {
    if (!trails->differ || trails->file != NULL) {
        print_same_trails(trails);
        return;
    }
    printf("trails: %s differs from step %zu on", trails->stage, trails->step);
    if (trails->common > 0) printf("; the weights were the same after step %zu", trails->common);
    putchar('\n');
    for (size_t i = 0; i < trails->n_fields; i++) {
        printf("  %-14s ", trails->fields[i].name);
        print_values(&trails->fields[i].value);
    }
    if (trails->a == NULL || trails->b == NULL) {
        printf("  %s has no such step\n", trails->a == NULL ? "a" : "b");
    } else if (trails->n_fields == 0) {
        printf("  a %s\n  b %s\n", trails->a, trails->b);
    }
}

static void print_side(const char *name, const struct diff_side *side) {
    if (side->engine != NULL) {
        printf("replay: %s by %s\n", name, side->engine);
    } else if (side->different_step > 0) {
        printf(
            "replay: this engine does not repeat %s (from step %zu on): another one made it; "
            "name that with --engine-%s\n",
            name, side->different_step, name);
    } else {
        printf("replay: this engine repeats %s\n", name);
    }
}

static void print_replay(const struct diff_replay *replay) {
    print_side("a", &replay->a);
    print_side("b", &replay->b);
    if (replay->step == 0) {
        puts("replay: no tensor differs in the replays");
    } else {
        printf("replay: the first step with a tensor that differs is step %zu of %s\n",
               replay->step, replay->stage);
    }
}

/* "[3, 17]": the element's place in its tensor. */
static void print_index(const mneme_tensor_difference *tensor) {
    size_t rest = tensor->first, size = tensor->n_elements;
    putchar('[');
    for (size_t i = 0; i < tensor->rank; i++) {
        size /= tensor->shape[i];
        printf("%s%zu", i > 0 ? ", " : "", rest / size);
        rest %= size;
    }
    putchar(']');
}

static void print_shape(const mneme_tensor_difference *tensor) {
    putchar('[');
    for (size_t i = 0; i < tensor->rank; i++) printf("%s%zu", i > 0 ? "," : "", tensor->shape[i]);
    putchar(']');
}

static void print_first(const mneme_tensors_difference *tensors) {
    const mneme_tensor_difference *tensor = &tensors->tensors[tensors->first];
    printf("first tensor that differs: %s ", tensor->name);
    print_shape(tensor);
    if (tensor->problem != NULL) {
        printf(": %s\n", tensor->problem);
        return;
    }
    fputs("\n  first element ", stdout);
    print_index(tensor);
    fputs(": ", stdout);
    print_values(&tensor->values);
}

static void print_tensor(const mneme_tensor_difference *tensor) {
    printf("%-52s ", tensor->name);
    if (tensor->problem != NULL) {
        printf("%s\n", tensor->problem);
        return;
    }
    printf("%10zu %10zu ", tensor->n_elements, tensor->n_different);
    if (tensor->max_ulp == UINT64_MAX) {
        printf("%11s", "NaN");
    } else {
        printf("%11" PRIu64, tensor->max_ulp);
    }
    printf(" %10.3g %10.3g\n", tensor->max_absolute, tensor->relative_l2);
}

static void print_tensors(const mneme_tensors_difference *tensors, bool all) {
    if (tensors->n_different == 0) {
        printf("%zu tensors: the same, bit for bit\n", tensors->n_tensors);
        return;
    }
    print_first(tensors);
    printf("\n%-52s %10s %10s %11s %10s %10s\n", "tensor", "elements", "different", "max ULP",
           "max |a-b|", "rel. L2");
    size_t printed = 0;
    for (size_t i = tensors->first; i < tensors->n_tensors; i++) {
        const mneme_tensor_difference *tensor = &tensors->tensors[i];
        if (tensor->problem == NULL && tensor->n_different == 0) continue;
        if (!all && printed == MOST_TENSORS) break;
        print_tensor(tensor);
        printed++;
    }
    if (printed < tensors->n_different) {
        printf("and %zu more (--all)\n", tensors->n_different - printed);
    }
    printf("%zu of %zu tensors differ\n", tensors->n_different, tensors->n_tensors);
}

void diff_print_text(const struct diff_findings *findings, bool all) {
    if (findings->trails != NULL) print_trails(findings->trails);
    if (findings->replay != NULL) {
        print_replay(findings->replay);
        if (findings->replay->step > 0) print_tensors(&findings->replay->tensors, all);
    }
    if (findings->tensors != NULL) print_tensors(findings->tensors, all);
}

static void json_value(const mneme_value_pair *value) {
    printf("\"a\": \"%a\", \"b\": \"%a\", \"ulp\": ", value->a, value->b);
    if (value->ulp == UINT64_MAX) {
        fputs("null", stdout);
    } else {
        printf("%" PRIu64, value->ulp);
    }
}

static void json_line(const char *name, const char *line) {
    printf(", \"%s\": ", name);
    if (line == NULL) {
        fputs("null", stdout);
    } else {
        json_print_string(stdout, line);
    }
}

static void json_trails(const mneme_trail_difference *trails) {
    printf("\"trails\": {\"differ\": %s, \"steps_compared\": %zu",
           trails->differ ? "true" : "false", trails->n_compared);
    if (trails->file != NULL) {
        json_line("file", trails->file);
        json_line("cause", trails->file_cause);
    } else if (trails->differ) {
        printf(", \"stage\": \"%s\", \"step\": %zu, \"common\": %zu, \"fields\": [", trails->stage,
               trails->step, trails->common);
        for (size_t i = 0; i < trails->n_fields; i++) {
            printf("%s{\"name\": \"%s\", ", i > 0 ? ", " : "", trails->fields[i].name);
            json_value(&trails->fields[i].value);
            putchar('}');
        }
        putchar(']');
        json_line("a", trails->a);
        json_line("b", trails->b);
    }
    putchar('}');
}

static void json_tensor(const mneme_tensor_difference *tensor) {
    fputs("\n  {\"name\": ", stdout);
    json_print_string(stdout, tensor->name);
    printf(", \"type\": \"%s\", \"shape\": ", tensor->type);
    print_shape(tensor);
    if (tensor->problem != NULL) {
        printf(", \"problem\": \"%s\"}", tensor->problem);
        return;
    }
    fputs(", \"first\": ", stdout);
    print_index(tensor);
    fputs(", ", stdout);
    json_value(&tensor->values);
    printf(", \"elements\": %zu, \"different\": %zu, \"max_ulp\": ", tensor->n_elements,
           tensor->n_different);
    if (tensor->max_ulp == UINT64_MAX) {
        fputs("null", stdout);
    } else {
        printf("%" PRIu64, tensor->max_ulp);
    }
    printf(", \"max_absolute\": %.9g, \"relative_l2\": %.9g}", tensor->max_absolute,
           tensor->relative_l2);
}

static void json_tensors(const mneme_tensors_difference *tensors) {
    printf("\"tensors_compared\": %zu, \"different\": [", tensors->n_tensors);
    size_t printed = 0;
    for (size_t i = tensors->first; i < tensors->n_tensors; i++) {
        const mneme_tensor_difference *tensor = &tensors->tensors[i];
        if (tensor->problem == NULL && tensor->n_different == 0) continue;
        if (printed++ > 0) putchar(',');
        json_tensor(tensor);
    }
    putchar(']');
}

void diff_print_json(const struct diff_findings *findings) {
    putchar('{');
    if (findings->trails != NULL) json_trails(findings->trails);
    if (findings->replay != NULL) {
        printf(
            ", \"replay\": {\"stage\": \"%s\", \"step\": %zu, \"a_repeated\": %s, "
            "\"b_repeated\": %s}, ",
            findings->replay->stage, findings->replay->step,
            findings->replay->a.different_step == 0 ? "true" : "false",
            findings->replay->b.different_step == 0 ? "true" : "false");
        json_tensors(&findings->replay->tensors);
    }
    if (findings->tensors != NULL) json_tensors(findings->tensors);
    puts("}");
}
