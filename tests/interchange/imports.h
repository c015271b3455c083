#ifndef TESTS_IMPORTS_H
#define TESTS_IMPORTS_H

#include <mneme/interchange.h>

#include "base/file.h"
#include "model/model.h"
#include "tests/temporary.h"

static inline void import(const char *format, const char *path, const char *folder) {
    mneme_interchange_result result;
    mneme_error error = {0};
    const mneme_interchange_options options = {.replace = 1};
    assert_ok(mneme_import(format, path, folder, &options, &result, &error), &error);
}

static inline void check_import_refused(const char *format, const char *path, const char *place,
                                        const char *cause) {
    mneme_interchange_result result;
    mneme_error error = {0};
    assert_refused(mneme_import(format, path, temporary_path("refused"), NULL, &result, &error),
                   &error, MNEME_BAD_INPUT, place, cause);
    ck_assert(!file_exists(temporary_path("refused")));
}

/* The same configuration and bits. */
static inline void check_same_model(const char *folder, const struct model *expected) {
    struct model model;
    mneme_error error = {0};
    assert_ok(model_load(folder, &model, &error), &error);
    ck_assert_uint_eq(model.n_parameters, expected->n_parameters);
    for (size_t i = 0; i < model.n_parameters; i++) {
        const struct parameter *a = &model.parameters[i], *b = &expected->parameters[i];
        ck_assert_str_eq(a->name, b->name);
        ck_assert_mem_eq(a->data, b->data, a->count * sizeof(float));
    }
    ck_assert_float_eq(model.config.norm_eps, expected->config.norm_eps);
    ck_assert_float_eq(model.config.rope_theta, expected->config.rope_theta);
    ck_assert_uint_eq(model.config.max_seq_len, expected->config.max_seq_len);
    ck_assert_uint_eq(model.config.head_dim, expected->config.head_dim);
    ck_assert_int_eq(model.config.rope_scaling, expected->config.rope_scaling);
    ck_assert_float_eq(model.config.rope_factor, expected->config.rope_factor);
    ck_assert_float_eq(model.config.rope_low_freq, expected->config.rope_low_freq);
    ck_assert_float_eq(model.config.rope_high_freq, expected->config.rope_high_freq);
    ck_assert_uint_eq(model.config.rope_original, expected->config.rope_original);
    model_close(&model);
}

#endif
