#include "reference/reference_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Of a tensor's own name, and with the case and the part before it. */
#define NAME_SIZE 160
#define FULL_SIZE (NAME_SIZE + 128)

void reference_case_close(struct reference_case *c) {
    for (size_t i = 0; i < c->n_owned; i++) free(c->owned[i]);
    free(c->owned);
    c->owned = NULL;
    c->is_read = NULL;
    c->n_owned = c->owned_capacity = 0;
}

bool reference_ok(struct reference_case *c, mneme_status status) {
    if (c->status == MNEME_OK) c->status = status;
    return c->status == MNEME_OK;
}

void *reference_room(struct reference_case *c, size_t count, size_t size) {
    if (!reference_ok(c, memory_grow((void **)&c->owned, &c->owned_capacity, c->n_owned + 1,
                                     sizeof *c->owned, "a reference case", c->error))) {
        return NULL;
    }
    void *room = memory_allocate(count > 0 ? count : 1, size);
    if (room == NULL) {
        reference_ok(c, error_set_memory(c->error, "a reference case"));
        return NULL;
    }
    c->owned[c->n_owned++] = room;
    return room;
}

/* "CASE#TRIAL:PART.NAME" */
static void full_name(const struct reference_case *c, const char *part, const char *name,
                      char full[FULL_SIZE]) {
    snprintf(full, FULL_SIZE, "%s#%zu:%s.%s", c->name, c->trial, part, name);
}

static size_t count_of(const struct safetensors_entry *entry) {
    return entry->bytes / tensor_type_size(entry->tensor.type);
}

/* The whole of a tensor of that type; *count becomes its elements, or is checked when it is not 0.
 */
static const void *read_tensor(struct reference_case *c, const char *part, const char *name,
                               enum tensor_type type, size_t *count) {
    char full[FULL_SIZE];
    if (c->status != MNEME_OK) return NULL;
    full_name(c, part, name, full);
    const struct safetensors_entry *entry = safetensors_find(c->file, full);
    if (entry == NULL) {
        reference_ok(c, error_set(c->error, MNEME_BAD_INPUT, "%s: no tensor `%s`", c->path, full));
        return NULL;
    }
    size_t n = count_of(entry);
    if (*count != 0 && *count != n) {
        reference_ok(c, error_set(c->error, MNEME_BAD_INPUT, "%s: `%s` has %zu elements, not %zu",
                                  c->path, full, n, *count));
        return NULL;
    }
    *count = n;
    if (c->is_read != NULL) c->is_read[entry - c->file->entries] = true;
    void *data = reference_room(c, n, tensor_type_size(type));
    if (data == NULL ||
        !reference_ok(c, safetensors_read_exact(c->file, full, type, entry->tensor.rank,
                                                entry->tensor.shape, data, c->error))) {
        return NULL;
    }
    return data;
}

#define FORMAT_NAME(name, format)                     \
    char name[NAME_SIZE];                             \
    va_list arguments;                                \
    va_start(arguments, format);                      \
    vsnprintf(name, sizeof(name), format, arguments); \
    va_end(arguments)

const float *reference_floats(struct reference_case *c, size_t *count, const char *format, ...) {
    FORMAT_NAME(name, format);
    return read_tensor(c, "in", name, TENSOR_F32, count);
}

const int32_t *reference_integers(struct reference_case *c, size_t *count, const char *format,
                                  ...) {
    FORMAT_NAME(name, format);
    return read_tensor(c, "in", name, TENSOR_I32, count);
}

const int32_t *reference_starts(struct reference_case *c, size_t *n) {
    *n = 0;
    const int32_t *starts = reference_integers(c, n, "starts");
    bool ascend = starts != NULL && *n >= 2 && starts[0] == 0;
    for (size_t i = 1; ascend && i < *n; i++) ascend = starts[i] > starts[i - 1];
    if (starts == NULL || ascend) return starts;
    reference_ok(
        c, error_set(c->error, MNEME_BAD_INPUT,
                     "%s: case `%s`: `starts` must ascend from 0, with an end", c->path, c->name));
    return NULL;
}

const float *reference_gradient(struct reference_case *c, size_t *count, const char *name) {
    if (reference_has_input(c, name)) return reference_floats(c, count, "%s", name);
    return reference_room(c, *count, sizeof(float));
}

const double *reference_exact(struct reference_case *c, size_t n, const char *format, ...) {
    FORMAT_NAME(name, format);
    return read_tensor(c, "f64", name, TENSOR_F64, &n);
}

const int32_t *reference_choice(struct reference_case *c, size_t n, const char *format, ...) {
    FORMAT_NAME(name, format);
    return read_tensor(c, "f64", name, TENSOR_I32, &n);
}

static bool has(const struct reference_case *c, const char *part, const char *name) {
    char full[FULL_SIZE];
    full_name(c, part, name, full);
    return safetensors_find(c->file, full) != NULL;
}

bool reference_has_input(const struct reference_case *c, const char *name) {
    return has(c, "in", name);
}

bool reference_has_output(const struct reference_case *c, const char *name) {
    return has(c, "f64", name);
}

/* The tensor's row of this case and instruction set, made at the first trial; NULL after a failure.
 */
static struct measured_row *row_of(struct reference_case *c, const char *tensor) {
    struct reference_rows *rows = c->rows;
    if (c->status != MNEME_OK) return NULL;
    for (size_t i = c->first_row; i < rows->n; i++) {
        if (strcmp(rows->rows[i].row.tensor, tensor) == 0) return &rows->rows[i];
    }
    if (!reference_ok(c, memory_grow((void **)&rows->rows, &rows->capacity, rows->n + 1,
                                     sizeof *rows->rows, "a reference table", c->error))) {
        return NULL;
    }
    struct measured_row *row = &rows->rows[rows->n++];
    *row = (struct measured_row){.isas = 1u << c->isa, .hash = 14695981039346656037u};
    snprintf(row->row.name, sizeof row->row.name, "%s", c->name);
    snprintf(row->row.tensor, sizeof row->row.tensor, "%s", tensor);
    return row;
}

static void hash_bytes(struct measured_row *row, const void *bytes, size_t n) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++) row->hash = (row->hash ^ at[i]) * 1099511628211u;
}

/* PyTorch's largest errors in more trials than the file has, from the manifest. */
static mneme_reference_error recorded_errors(const struct reference_case *c, const char *tensor) {
    const json_t *all = json_object_get(c->place.object, "pytorch");
    const json_t *pair = json_object_get(all, tensor);
    return (mneme_reference_error){json_number_value(json_array_get(pair, 0)),
                                   json_number_value(json_array_get(pair, 1))};
}

/* Whether the file leaves an output out, and nothing says that it should be there. */
static bool may_lack(const struct reference_case *c, const char *name) {
    if (c->file == NULL || reference_has_output(c, name)) return false;
    return json_object_get(json_object_get(c->place.object, "pytorch"), name) == NULL;
}

void reference_compare(struct reference_case *c, size_t n, const float *ours, const char *format,
                       ...) {
    FORMAT_NAME(name, format);
    if (may_lack(c, name)) return;
    const double *exact = read_tensor(c, "f64", name, TENSOR_F64, &n);
    const float *theirs = read_tensor(c, "f32", name, TENSOR_F32, &n);
    struct measured_row *row = row_of(c, name);
    if (row == NULL || exact == NULL || theirs == NULL) return;
    row->row.n += n;
    measure_keep_largest(&row->row.ours, measure_errors(n, ours, exact));
    measure_keep_largest(&row->row.here, measure_errors(n, theirs, exact));
    measure_keep_largest(&row->row.theirs, row->row.here);
    measure_keep_largest(&row->row.theirs, recorded_errors(c, name));
    hash_bytes(row, ours, n * sizeof *ours);
    c->n_compared++;
}

void reference_select(struct reference_case *c, size_t n, const int32_t *ours,
                      const double *ours_scores, const double *exact_scores, double tolerance,
                      const char *format, ...) {
    FORMAT_NAME(name, format);
    if (may_lack(c, name)) return;
    const int32_t *choice = read_tensor(c, "f64", name, TENSOR_I32, &n);
    struct measured_row *row = row_of(c, name);
    if (row == NULL || choice == NULL) return;
    row->row.is_selection = true;
    row->row.n += n;
    for (size_t i = 0; i < n; i++) {
        if (ours[i] == choice[i]) continue;
        row->row.different++;
        row->row.near_ties +=
            ours_scores != NULL && fabs(ours_scores[i] - exact_scores[i]) <= tolerance;
    }
    hash_bytes(row, ours, n * sizeof *ours);
    c->n_compared++;
}

void reference_count(struct reference_case *c, size_t n, size_t different, const char *tensor) {
    struct measured_row *row = row_of(c, tensor);
    if (row == NULL) return;
    row->row.is_selection = true;
    row->row.n += n;
    row->row.different += different;
}

double reference_largest_error(struct reference_case *c, size_t n, const float *ours,
                               const char *format, ...) {
    FORMAT_NAME(name, format);
    double largest = 0.0;
    const double *exact = read_tensor(c, "f64", name, TENSOR_F64, &n);
    const float *other = read_tensor(c, "f32", name, TENSOR_F32, &n);
    if (exact == NULL || other == NULL) return 0.0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)ours[i] - exact[i]));
        largest = fmax(largest, fabs((double)other[i] - exact[i]));
    }
    return largest;
}

static void check_all_read(struct reference_case *c) {
    char prefix[FULL_SIZE];
    full_name(c, "in", "", prefix);
    for (size_t i = 0; c->is_read != NULL && i < c->file->n; i++) {
        const char *name = c->file->entries[i].tensor.name;
        if (c->is_read[i] || strncmp(name, prefix, strlen(prefix)) != 0) continue;
        reference_ok(
            c, error_set(c->error, MNEME_BAD_INPUT,
                         "%s: `%s` is no input of such a case, or of no use in it", c->path, name));
        return;
    }
}

void reference_check_all_compared(struct reference_case *c) {
    char prefix[FULL_SIZE];
    size_t outputs = 0;
    if (c->status != MNEME_OK || c->file == NULL) return;
    check_all_read(c);
    full_name(c, "f64", "", prefix);
    for (size_t i = 0; i < c->file->n; i++) {
        outputs += strncmp(c->file->entries[i].tensor.name, prefix, strlen(prefix)) == 0;
    }
    if (outputs == c->n_compared && outputs > 0) return;
    reference_ok(c, error_set(c->error, MNEME_BAD_INPUT,
                              "%s: case `%s` has %zu outputs, %zu of which can be compared",
                              c->path, c->name, outputs, c->n_compared));
}

size_t reference_size(struct reference_case *c, const char *key) {
    size_t value = 0;
    if (c->status != MNEME_OK) return 0;
    reference_ok(c,
                 json_get_size(&c->place, key, KEY_REQUIRED, 0, (size_t)1 << 20, &value, c->error));
    return value;
}

float reference_float(struct reference_case *c, const char *key) {
    float value = 0.0f;
    if (c->status != MNEME_OK) return 0.0f;
    reference_ok(c, json_get_float(&c->place, key, KEY_REQUIRED, 0.0f, 1e30f, &value, c->error));
    return value;
}
