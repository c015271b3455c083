/* The reference's rules of training: facebookresearch/memory, commit 7f85280. Numbers are those of
 * its own code, or of the PyTorch functions that it calls, run once. */

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "tests/assertions.h"
#include "train/optimizer.h"
#include "train/schedule.h"

enum { N_STEPS = 28 };
static const size_t steps[N_STEPS] = {0,   1,   2,   6,   7,   8,   15,  16,  17, 19,
                                      20,  21,  33,  49,  50,  51,  77,  89,  90, 99,
                                      100, 101, 150, 199, 200, 201, 399, 1000};

/* What lingua.optim.build_lr_fn(OptimArgs(...), steps) gives at these steps. */
static const struct {
    struct schedule schedule;
    float factors[N_STEPS];
} schedules[] = {
    {{.kind = SCHEDULE_LINEAR,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 20,
      .steps = 200,
      .lr_min_ratio = 0.1f,
      .cosine_theta = 1.0f,
      .cycle_length = 1.0f,
      .exp_factor = 0.5f},
     {0.0f, 0.05f,  0.1f,   0.3f,   0.35f, 0.4f,   0.75f,  0.8f,   0.85f, 0.95f,
      1.0f, 0.995f, 0.935f, 0.855f, 0.85f, 0.845f, 0.715f, 0.655f, 0.65f, 0.605f,
      0.6f, 0.595f, 0.35f,  0.105f, 0.1f,  0.1f,   0.1f,   0.1f}},
    {{.kind = SCHEDULE_LINEAR,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 0,
      .steps = 100,
      .lr_min_ratio = 0.25f,
      .cosine_theta = 1.0f,
      .cycle_length = 1.0f,
      .exp_factor = 0.5f},
     {1.0f,  0.9925f, 0.985f,  0.955f,  0.9475f, 0.94f,   0.8875f, 0.88f,   0.8725f, 0.8575f,
      0.85f, 0.8425f, 0.7525f, 0.6325f, 0.625f,  0.6175f, 0.4225f, 0.3325f, 0.325f,  0.2575f,
      0.25f, 0.25f,   0.25f,   0.25f,   0.25f,   0.25f,   0.25f,   0.25f}},
    {{.kind = SCHEDULE_COSINE,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 20,
      .steps = 200,
      .lr_min_ratio = 0.1f,
      .cosine_theta = 1.0f,
      .cycle_length = 1.0f,
      .exp_factor = 0.5f},
     {0.0f,         0.05f,        0.1f,         0.3f,         0.35f,        0.4f,
      0.75f,        0.8f,         0.85f,        0.95f,        1.0f,         0.999931463f,
      0.988466529f, 0.943578868f, 0.939711432f, 0.935725285f, 0.795087566f, 0.711265577f,
      0.703909064f, 0.635864048f, 0.62814168f,  0.620395509f, 0.260745576f, 0.100068537f,
      0.1f,         0.1f,         0.1f,         0.1f}},
    {{.kind = SCHEDULE_COSINE,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 7,
      .steps = 90,
      .lr_min_ratio = 0.01f,
      .cosine_theta = 1.5f,
      .cycle_length = 0.75f,
      .exp_factor = 0.5f},
     {0.0f,         0.142857143f, 0.285714286f, 0.857142857f, 1.0f,          0.999992405f,
      0.996116535f, 0.994473681f, 0.99242457f,  0.986934021f, 0.983407688f,  0.979305606f,
      0.872405981f, 0.536159701f, 0.509366366f, 0.482246918f, 0.0126075949f, 0.225881497f,
      0.2575f,      0.01f,        0.01f,        0.01f,        0.01f,         0.01f,
      0.01f,        0.01f,        0.01f,        0.01f}},
    {{.kind = SCHEDULE_COSINE,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 0,
      .steps = 50,
      .lr_min_ratio = 0.2f,
      .cosine_theta = 0.5f,
      .cycle_length = 2.0f,
      .exp_factor = 0.5f},
     {1.0f,         0.990170916f, 0.980422607f, 0.942229165f, 0.932878779f, 0.923606798f,
      0.860865665f, 0.852206993f, 0.843623264f, 0.826679127f, 0.818317966f, 0.810030246f,
      0.716171687f, 0.606314657f, 0.6f,         0.2f,         0.2f,         0.2f,
      0.2f,         0.2f,         0.2f,         0.2f,         0.2f,         0.2f,
      0.2f,         0.2f,         0.2f,         0.2f}},
    {{.kind = SCHEDULE_INVERSE_SQRT,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 20,
      .steps = 200,
      .lr_min_ratio = 0.1f,
      .cosine_theta = 1.0f,
      .cycle_length = 1.0f,
      .exp_factor = 0.5f},
     {0.0f,         0.05f,        0.1f,         0.3f,         0.35f,        0.4f,
      0.75f,        0.8f,         0.85f,        0.95f,        1.0f,         0.975900073f,
      0.778498944f, 0.638876565f, 0.632455532f, 0.626224291f, 0.509647191f, 0.474045463f,
      0.471404521f, 0.449466575f, 0.447213595f, 0.444994159f, 0.365148372f, 0.317021312f,
      0.316227766f, 0.315440149f, 0.223886831f, 0.141421356f}},
    {{.kind = SCHEDULE_INVERSE_SQRT,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 16,
      .steps = 400,
      .lr_min_ratio = 0.3f,
      .cosine_theta = 1.0f,
      .cycle_length = 1.0f,
      .exp_factor = 0.7f},
     {0.0f,         0.0625f,      0.125f,       0.375f,       0.4375f,      0.5f,
      0.9375f,      1.0f,         0.958450621f, 0.886658674f, 0.85538768f,  0.826666772f,
      0.602454468f, 0.456821707f, 0.450406848f, 0.444206454f, 0.332920456f, 0.300822962f,
      0.3f,         0.3f,         0.3f,         0.3f,         0.3f,         0.3f,
      0.3f,         0.3f,         0.3f,         0.3f}},
    {{.kind = SCHEDULE_CONSTANT,
      .rule = SCHEDULE_OF_LINGUA,
      .warmup = 20,
      .steps = 200,
      .lr_min_ratio = 0.1f,
      .cosine_theta = 1.0f,
      .cycle_length = 1.0f,
      .exp_factor = 0.5f},
     {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f,
      1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f}},
};

START_TEST(lingua_schedules) {
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        for (size_t s = 0; s < N_STEPS; s++) {
            float found = schedule_factor(&schedules[i].schedule, steps[s]);
            float expected = schedules[i].factors[s];
            ck_assert_msg(fabsf(found - expected) <= 2e-7f,
                          "schedule %zu, step %zu: %.9g, not %.9g", i, steps[s], (double)found,
                          (double)expected);
        }
    }
}
END_TEST

/* clip, norm, and what torch.nn.utils.clip_grad_norm_ makes of a gradient of 1 then. */
static const float clips[][3] = {
    {1.0f, 0.001f, 1.0f},         {1.0f, 0.2499999f, 1.0f},
    {1.0f, 0.25f, 1.0f},          {1.0f, 0.5f, 1.0f},
    {1.0f, 1.0f, 0.999999046f},   {1.0f, 1.0000001f, 0.999998927f},
    {1.0f, 2.0f, 0.499999762f},   {1.0f, 37.5f, 0.0266666673f},
    {1.0f, 1e-30f, 1.0f},         {1.0f, 3e+20f, 3.33333329e-21f},
    {0.25f, 0.001f, 1.0f},        {0.25f, 0.2499999f, 0.999996424f},
    {0.25f, 0.25f, 0.999995947f}, {0.25f, 0.5f, 0.499998987f},
    {0.25f, 1.0f, 0.249999762f},  {0.25f, 1.0000001f, 0.249999732f},
    {0.25f, 2.0f, 0.12499994f},   {0.25f, 37.5f, 0.00666666683f},
    {0.25f, 1e-30f, 1.0f},        {0.25f, 3e+20f, 8.33333324e-22f},
};

START_TEST(clip_factors) {
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++) {
        const struct adamw_settings separate = {.clip = clips[i][0], .clip_values = CLIP_SEPARATE};
        float found = adamw_clip_scale(&separate, clips[i][1]), expected = clips[i][2];
        ck_assert_msg(fabsf(found - expected) <= 0x1p-23f * expected,
                      "clip %g of %g: %.9g, not %.9g", (double)clips[i][0], (double)clips[i][1],
                      (double)found, (double)expected);
    }
    const struct adamw_settings together = {.clip = 1.0f}, none = {.clip_values = CLIP_SEPARATE};
    ck_assert(adamw_clip_scale(&together, 1.0f) == 1.0f);
    ck_assert(adamw_clip_scale(&together, 4.0f) == 0.25f);
    ck_assert(adamw_clip_scale(&none, 1e10f) == 1.0f);
}
END_TEST

/* Both kinds of tables share a norm; nothing else is in it. */
START_TEST(two_norms) {
    struct parameter p[] = {{.count = 1},
                            {.index = 1, .count = 1, .kind = PARAMETER_VALUES},
                            {.index = 2, .count = 1, .kind = PARAMETER_VALUES_U},
                            {.index = 3, .count = 1}};
    struct parameter *list[] = {&p[0], &p[1], &p[2], &p[3]};
    static const float gradients[] = {3.0f, 0.6f, 0.8f, 4.0f};
    float data[4] = {0.0f};
    struct adamw_settings settings = {.eps = 1e-8f, .clip = 2.0f, .clip_values = CLIP_SEPARATE};
    struct optimizer optimizer;
    mneme_error error = {0};
    assert_ok(optimizer_open(&optimizer, &settings, list, 4, &error), &error);
    for (size_t i = 0; i < 4; i++) {
        p[i].data = &data[i];
        *gradient_of(&optimizer.gradients, &p[i]) = gradients[i];
    }
    const struct gradient_norms norms = optimizer_gradient_norms(&optimizer);
    ck_assert(norms.common == 5.0f && fabsf(norms.values - 1.0f) < 1e-6f);
    /* Without betas the moments are the clipped gradient and its square. */
    optimizer_step(&optimizer, 0.0f, 0.0f, norms);
    for (size_t i = 0; i < 4; i++) {
        float scale = p[i].kind == PARAMETER_COMMON ? 0.4f : 1.0f;
        ck_assert_float_eq_tol(optimizer.moments[i].first[0], scale * gradients[i], 1e-6f);
    }
    optimizer.settings.clip_values = CLIP_TOGETHER;
    const struct gradient_norms one = optimizer_gradient_norms(&optimizer);
    ck_assert(one.common == one.values && fabsf(one.common - sqrtf(26.0f)) < 1e-6f);
    optimizer_close(&optimizer);
}
END_TEST

Suite *lingua_rules_suite(void) {
    Suite *suite = suite_create("lingua_rules");
    TCase *tests = tcase_create("train");
    tcase_add_test(tests, lingua_schedules);
    tcase_add_test(tests, clip_factors);
    tcase_add_test(tests, two_norms);
    suite_add_tcase(suite, tests);
    return suite;
}
