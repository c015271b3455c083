#ifndef REFERENCE_REFERENCE_CASE_H
#define REFERENCE_REFERENCE_CASE_H

#include <stdarg.h>
#include <stdint.h>

#include "base/json_read.h"
#include "reference/measure.h"
#include "simd/simd.h"
#include "tensor/safetensors.h"

/* The rows found so far. */
struct reference_rows {
    size_t n, capacity;
    struct measured_row *rows;
};

/* One trial of a case on one instruction set. The first failure stays in `status`; after it every
 * function here does nothing and reads give NULL, so that a runner asks once before it computes. */
struct reference_case {
    const char *name;
    struct json_place place;        /* the case in the manifest */
    const char *path;               /* of its file */
    const struct safetensors *file; /* NULL when it is no safetensors file */
    size_t trial;
    enum simd_isa isa;
    struct reference_rows *rows;
    size_t first_row; /* of this case on this instruction set */
    size_t n_compared;
    bool *is_read; /* [file->n] of the tensors: this trial has taken them */
    void **owned;  /* freed at the end of the trial */
    size_t n_owned, owned_capacity;
    mneme_status status;
    mneme_error *error;
};

void reference_case_close(struct reference_case *c);

/* Keeps a status; true while all is well. */
bool reference_ok(struct reference_case *c, mneme_status status);

/* Zeroed memory that lives as long as the trial. */
void *reference_room(struct reference_case *c, size_t count, size_t size);

/* The trial's input `in.NAME`, and its number of elements; the tensor's own name is made from the
 * format where there is one. */
const float *reference_floats(struct reference_case *c, size_t *count, const char *format, ...)
    MNEME_PRINTF(3, 4);
const int32_t *reference_integers(struct reference_case *c, size_t *count, const char *format, ...)
    MNEME_PRINTF(3, 4);
/* `in.starts`, [*n >= 2]: where sequences start, ascending from 0, and the end of the last. */
const int32_t *reference_starts(struct reference_case *c, size_t *n);
/* The gradient `in.NAME` that comes from above; zeros where the file has none, of which nobody asks
 * the outputs that it makes. */
const float *reference_gradient(struct reference_case *c, size_t *count, const char *name);
/* The float64 output of that name, [n]. */
const double *reference_exact(struct reference_case *c, size_t n, const char *format, ...)
    MNEME_PRINTF(3, 4);
bool reference_has_input(const struct reference_case *c, const char *name);
bool reference_has_output(const struct reference_case *c, const char *name);

/* Compares our output [n] with the file's two. A file may leave an output out, unless its manifest
 * has errors for it. */
void reference_compare(struct reference_case *c, size_t n, const float *ours, const char *format,
                       ...) MNEME_PRINTF(4, 5);

/* What was chosen, [n]. `ours_scores` and `exact_scores` [n] are the float64 scores of our choice
 * and of the file's; where the choices differ the two may not be further apart than `tolerance`,
 * the larger error that either precision's scores have. NULL scores: no difference is excused. */
void reference_select(struct reference_case *c, size_t n, const int32_t *ours,
                      const double *ours_scores, const double *exact_scores, double tolerance,
                      const char *format, ...) MNEME_PRINTF(7, 8);
/* The file's choice of that name. */
const int32_t *reference_choice(struct reference_case *c, size_t n, const char *format, ...)
    MNEME_PRINTF(3, 4);
/* For choices that no file of tensors holds. */
void reference_count(struct reference_case *c, size_t n, size_t different, const char *tensor);

/* The largest difference of PyTorch's float32 output and of ours from the float64 one. */
double reference_largest_error(struct reference_case *c, size_t n, const float *ours,
                               const char *format, ...) MNEME_PRINTF(4, 5);

/* Refuses a file with inputs or outputs that the runner does not know. */
void reference_check_all_compared(struct reference_case *c);

/* Members of the case in the manifest. */
size_t reference_size(struct reference_case *c, const char *key);
float reference_float(struct reference_case *c, const char *key);

/* One per kind; each reads, computes and compares. */
typedef void (*reference_runner)(struct reference_case *c);
void run_rms_norm(struct reference_case *c);
void run_rope(struct reference_case *c);
void run_swiglu(struct reference_case *c);
void run_cross_entropy(struct reference_case *c);
void run_attention(struct reference_case *c);
void run_memory_layer(struct reference_case *c);
void run_model(struct reference_case *c);
void run_logits(struct reference_case *c);
void run_schedule(struct reference_case *c);
void run_adamw(struct reference_case *c);
void run_training(struct reference_case *c);
void run_lora(struct reference_case *c);
void run_smf(struct reference_case *c);
void run_qa(struct reference_case *c);

#endif
