#ifndef TESTS_PATCH_TAUGHT_H
#define TESTS_PATCH_TAUGHT_H

/* Patches of the tiny model, taught by numbers that a seed makes. */

#include "base/digest.h"
#include "base/random.h"
#include "model/tiny_model.h"
#include "patch/patch_file.h"
#include "smf/value_rows.h"
#include "tests/assertions.h"
#include "tests/temporary.h"

/* Fact `number` changes a few slots, some of which the facts before did, too. */
static inline void teach_fact(struct patch *patch, struct model *model, uint32_t number) {
    const size_t n_slots = model->n_tables * model_n_slots(&model->config);
    const size_t width = patch_width(&model->config);
    struct patch_fact fact = {
        .question = strdup("Who?"), .steps = number, .loss = 0.1f * (float)number};
    int32_t slots[64];
    const size_t v_dim = model->config.memory.v_dim;
    size_t n = 0;
    mneme_error error;
    char answer[32];
    snprintf(answer, sizeof answer, "answer %u", number);
    assert_ok(text_list_add_copy(&fact.answers, answer, strlen(answer), &error), &error);
    for (size_t s = 0; s < n_slots && n < 64; s++) {
        if (random_below(number, 77, s, 4) != 0) continue;
        slots[n] = (int32_t)s;
        assert_ok(value_rows_make_f32(model, 1, &slots[n++], &error), &error);
        float *values = value_row(model, PARAMETER_VALUES, (int32_t)s);
        float *values_u = width == v_dim ? NULL : value_row(model, PARAMETER_VALUES_U, (int32_t)s);
        for (size_t i = 0; i < width; i++) {
            float *value = i < v_dim ? values + i : values_u + (i - v_dim);
            *value += random_uniform(number, s, i) - 0.5f;
        }
    }
    assert_ok(patch_add_fact(patch, &fact, model, n, slots, &error), &error);
}

/* The digest of a file. */
static inline struct digest digest_of(const char *path) {
    struct digest digest;
    mneme_error error;
    assert_ok(digest_of_file(path, (size_t)1 << 30, &digest, &error), &error);
    return digest;
}

/* A patch of the model after n facts, which are then in the model. */
static inline void teach(struct patch *patch, struct model *model, bool carries, uint32_t n) {
    struct digest fits;
    mneme_error error;
    assert_ok(parameter_digest_model(model, &fits, &error), &error);
    assert_ok(patch_open(patch, model, &fits, carries, NULL, &error), &error);
    for (uint32_t i = 1; i <= n; i++) teach_fact(patch, model, i);
}

#endif
