/* The methods, step by step, from one base. */

#include <math.h>

#include "model/model.h"
#include "nano.h"
#include "run/background_stage.h"
#include "run/finetuning.h"

/* A teaching with all that it needs. */
struct fixture {
    struct experiment experiment;
    struct background background;
    struct teaching teaching;
};

static void begin(struct fixture *f, const char *folder, const struct method *method, float lr) {
    struct stage stage = stage_finetuning(method, lr);
    mneme_error error = {0};
    *f = (struct fixture){0};
    nano_open(folder, &f->experiment);
    assert_ok(background_stage_load(&f->experiment, &f->background, &error), &error);
    f->teaching = finetuning_of(&f->experiment, &stage, &f->background);
    assert_ok(teaching_open(&f->teaching, &error), &error);
}

static void end(struct fixture *f) {
    teaching_close(&f->teaching);
    background_close(&f->background);
    experiment_close(&f->experiment);
}

static void step(struct fixture *f) {
    struct method_step found;
    size_t tokens;
    mneme_error error = {0};
    assert_ok(teaching_step(&f->teaching, &found, &tokens, &error), &error);
    ck_assert(!found.diverged);
    ck_assert_uint_gt(tokens, 0);
}

static struct digest model_digest(const struct fixture *f) {
    struct digest digest;
    mneme_error error = {0};
    assert_ok(parameter_digest_model(&f->experiment.model, &digest, &error), &error);
    return digest;
}

/* Parameters of the model that are not the base's any more. */
static size_t count_changed(const struct fixture *f) {
    const struct model *model = &f->experiment.model;
    struct model base;
    mneme_error error = {0};
    size_t n = 0;
    assert_ok(model_load(f->experiment.base_folder, &base, &error), &error);
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        n += memcmp(p->data, base.parameters[i].data, p->count * sizeof(float)) != 0;
    }
    model_close(&base);
    return n;
}

static const float rates[] = {0.003f, 0.03f, 50.0f}; /* of the methods in their order */

START_TEST(table) {
    for (size_t i = 0; i < N_METHODS; i++) {
        ck_assert_ptr_eq(method_find(methods[i]->name), methods[i]);
        ck_assert_int_eq(methods[i]->colour[0], '#');
        struct recipe_finetune finetune = {0};
        method_choose(methods[i], 3.0f, &finetune);
        for (size_t j = 0; j < N_METHODS; j++) {
            const struct recipe_rates *of = method_rates(methods[j], &finetune);
            ck_assert_int_eq(of->enabled, i == j);
            ck_assert_uint_eq(of->n_lr, i == j);
        }
        ck_assert_int_eq(method_background_needed(&finetune), methods[i]->needs_background);
    }
    ck_assert_ptr_null(method_find("best"));
}
END_TEST

/* What a step changes: everything, nothing of the model itself, one table of values. */
START_TEST(changes) {
    const char *folder = nano_run("run");
    struct fixture f;
    begin(&f, folder, &method_full, rates[0]);
    step(&f);
    ck_assert_uint_eq(count_changed(&f), f.experiment.model.n_parameters);
    end(&f);
    begin(&f, folder, &method_lora, rates[1]);
    step(&f);
    ck_assert_uint_eq(count_changed(&f), 0);
    end(&f);
    begin(&f, folder, &method_smf, rates[2]);
    step(&f);
    ck_assert_uint_eq(count_changed(&f), 1);
    ck_assert_uint_eq(f.teaching.method->n_trainable(&f.teaching), 20 * 32);
    end(&f);
}
END_TEST

/* A look at the model on the way changes nothing of what comes after. */
START_TEST(looks) {
    const char *folder = nano_run("run");
    for (size_t m = 0; m < N_METHODS; m++) {
        struct fixture f;
        mneme_error error = {0};
        struct digest plain, looked, on_the_way;
        begin(&f, folder, methods[m], rates[m]);
        for (int i = 0; i < 4; i++) step(&f);
        assert_ok(teaching_finish(&f.teaching, &error), &error);
        plain = model_digest(&f);
        end(&f);
        begin(&f, folder, methods[m], rates[m]);
        for (int i = 0; i < 4; i++) {
            assert_ok(teaching_finish(&f.teaching, &error), &error);
            on_the_way = model_digest(&f);
            assert_ok(teaching_resume(&f.teaching, &error), &error);
            step(&f);
        }
        assert_ok(teaching_finish(&f.teaching, &error), &error);
        looked = model_digest(&f);
        end(&f);
        ck_assert_str_eq(plain.hex, looked.hex);
        ck_assert_str_ne(on_the_way.hex, looked.hex);
    }
}
END_TEST

/* Numbers that are not finite are a divergence, not an error like others, and change nothing. */
START_TEST(divergence) {
    const char *folder = nano_run("run");
    for (size_t m = 0; m < N_METHODS; m++) {
        struct fixture f;
        struct trail_line line;
        mneme_error error = {0};
        bool diverged;
        begin(&f, folder, methods[m], rates[m]);
        step(&f);
        f.experiment.model.norm->data[0] = INFINITY;
        struct digest before = model_digest(&f);
        mneme_status status = finetuning_step(&f.teaching, &line, &diverged, &error);
        ck_assert_msg(status == MNEME_FAILED && diverged, "%s: status %d, %s", methods[m]->name,
                      (int)status, error.message);
        ck_assert_msg(strstr(error.message, "finite") != NULL, "%s", error.message);
        ck_assert_uint_eq(f.teaching.steps, 1);
        ck_assert_str_eq(model_digest(&f).hex, before.hex);
        end(&f);
    }
}
END_TEST

Suite *teaching_suite(void) {
    Suite *suite = suite_create("teaching");
    TCase *tests = tcase_create("methods");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, table);
    tcase_add_test(tests, changes);
    tcase_add_test(tests, looks);
    tcase_add_test(tests, divergence);
    suite_add_tcase(suite, tests);
    return suite;
}
