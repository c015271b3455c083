/* How a model's weights start under `model.init: lingua`. The reference's figures are those of its
 * LMTransformer (facebookresearch/memory, commit 7f85280), made once on a CPU in float32 with the
 * sizes below: standard deviation and largest magnitude of each tensor. */

#include <check.h>
#include <math.h>
#include <string.h>

#include "model/tiny_model.h"
#include "tests/assertions.h"

struct figures {
    const char *name;
    float std, largest;
};

static const struct figures disabled[] = {
    {"layers.0.attention.wq.weight", 0.087282f, 0.264203f},
    {"layers.0.attention.wk.weight", 0.086496f, 0.264919f},
    {"layers.0.attention.wv.weight", 0.087022f, 0.264969f},
    {"layers.0.attention.wo.weight", 0.086270f, 0.265086f},
    {"layers.0.feed_forward.w1.weight", 0.087068f, 0.265116f},
    {"layers.0.feed_forward.w3.weight", 0.087550f, 0.264837f},
    {"layers.0.feed_forward.w2.weight", 0.052619f, 0.159738f},
    {"layers.2.attention.wq.weight", 0.088100f, 0.265101f},
    {"layers.2.attention.wk.weight", 0.087510f, 0.264472f},
    {"layers.2.attention.wv.weight", 0.087042f, 0.263611f},
    {"layers.2.attention.wo.weight", 0.086299f, 0.264879f},
    {"layers.2.feed_forward.keys", 0.072298f, 0.124999f},
    {"layers.2.feed_forward.values.weight", 0.102054f, 0.459431f},
    {"layers.2.feed_forward.value_proj.weight", 0.088383f, 0.367345f},
    {"layers.2.feed_forward.value_proj.bias", 0.058302f, 0.101875f},
    {"layers.2.feed_forward.swilu_projection.weight", 0.088437f, 0.337271f},
    {"layers.2.feed_forward.swilu_projection.bias", 0.047997f, 0.087928f},
    {"layers.2.feed_forward.gating.weight", 0.096042f, 0.220655f},
    {"layers.2.feed_forward.gating.bias", 0.0f, 0.040994f},
    {"layers.2.feed_forward.query_proj.query_mlps.0.weight", 0.072164f, 0.124999f},
    {"layers.2.feed_forward.query_proj.query_mlps.0.bias", 0.049017f, 0.088024f},
    {"layers.3.attention.wq.weight", 0.087405f, 0.264132f},
    {"layers.3.attention.wk.weight", 0.086467f, 0.263174f},
    {"layers.3.attention.wv.weight", 0.086143f, 0.264832f},
    {"layers.3.attention.wo.weight", 0.087459f, 0.264841f},
    {"layers.3.feed_forward.w1.weight", 0.086978f, 0.26515f},
    {"layers.3.feed_forward.w3.weight", 0.087301f, 0.264927f},
    {"layers.3.feed_forward.w2.weight", 0.052539f, 0.15913f},
    {"tok_embeddings.weight", 0.087242f, 0.265112f},
    {"output.weight", 0.087210f, 0.265155f},
};
static const struct figures global_depth[] = {
    {"layers.0.attention.wq.weight", 0.027601f, 0.083548f},
    {"layers.0.attention.wo.weight", 0.027281f, 0.083828f},
    {"layers.0.feed_forward.w2.weight", 0.016640f, 0.050513f},
    {"layers.1.attention.wq.weight", 0.027692f, 0.083727f},
    {"layers.1.attention.wo.weight", 0.027535f, 0.083764f},
    {"layers.1.feed_forward.w2.weight", 0.016684f, 0.05051f},
    {"layers.2.attention.wq.weight", 0.027860f, 0.083832f},
    {"layers.2.attention.wo.weight", 0.027290f, 0.083762f},
    {"layers.2.feed_forward.values.weight", 0.102054f, 0.459431f},
    {"layers.2.feed_forward.value_proj.weight", 0.088383f, 0.367345f},
    {"layers.3.attention.wq.weight", 0.027640f, 0.083526f},
    {"layers.3.attention.wo.weight", 0.027657f, 0.08375f},
    {"layers.3.feed_forward.w2.weight", 0.016614f, 0.050321f},
    {"output.weight", 0.087210f, 0.265155f},
};
static const struct figures current_depth[] = {
    {"layers.0.attention.wq.weight", 0.061718f, 0.18682f},
    {"layers.0.attention.wo.weight", 0.061002f, 0.187444f},
    {"layers.0.feed_forward.w2.weight", 0.037207f, 0.112952f},
    {"layers.1.attention.wq.weight", 0.043784f, 0.132384f},
    {"layers.1.attention.wo.weight", 0.043536f, 0.132443f},
    {"layers.1.feed_forward.w2.weight", 0.026380f, 0.079863f},
    {"layers.2.attention.wq.weight", 0.035967f, 0.108227f},
    {"layers.2.attention.wo.weight", 0.035231f, 0.108136f},
    {"layers.2.feed_forward.values.weight", 0.102054f, 0.459431f},
    {"layers.2.feed_forward.value_proj.weight", 0.088383f, 0.367345f},
    {"layers.3.attention.wq.weight", 0.030902f, 0.093385f},
    {"layers.3.attention.wo.weight", 0.030921f, 0.093635f},
    {"layers.3.feed_forward.w2.weight", 0.018576f, 0.056261f},
    {"output.weight", 0.087210f, 0.265155f},
};
static const struct figures dim_ratio[] = {
    {"layers.0.attention.wq.weight", 2.793035f, 8.454488f},
    {"layers.0.attention.wo.weight", 2.760656f, 8.482754f},
    {"layers.0.feed_forward.w2.weight", 1.683813f, 5.111605f},
    {"layers.1.attention.wq.weight", 2.802192f, 8.472592f},
    {"layers.1.attention.wo.weight", 2.786315f, 8.476338f},
    {"layers.1.feed_forward.w2.weight", 1.688332f, 5.111258f},
    {"layers.2.attention.wq.weight", 2.819201f, 8.483244f},
    {"layers.2.attention.wo.weight", 2.761568f, 8.476129f},
    {"layers.2.feed_forward.values.weight", 0.102054f, 0.459431f},
    {"layers.2.feed_forward.value_proj.weight", 0.088383f, 0.367345f},
    {"layers.3.attention.wq.weight", 2.796969f, 8.452213f},
    {"layers.3.attention.wo.weight", 2.798681f, 8.474898f},
    {"layers.3.feed_forward.w2.weight", 1.681264f, 5.092154f},
    {"output.weight", 0.087210f, 0.265155f},
};
/* init_base_std 0.02, current_depth */
static const struct figures base_std[] = {
    {"layers.0.attention.wq.weight", 0.013965f, 0.042272f},
    {"layers.0.attention.wo.weight", 0.013803f, 0.042414f},
    {"layers.0.feed_forward.w2.weight", 0.013961f, 0.042383f},
    {"layers.1.attention.wq.weight", 0.009907f, 0.029955f},
    {"layers.1.attention.wo.weight", 0.009851f, 0.029968f},
    {"layers.1.feed_forward.w2.weight", 0.009899f, 0.029967f},
    {"layers.2.attention.wq.weight", 0.008138f, 0.024489f},
    {"layers.2.attention.wo.weight", 0.007972f, 0.024468f},
    {"layers.2.feed_forward.values.weight", 0.102054f, 0.459431f},
    {"layers.2.feed_forward.value_proj.weight", 0.088383f, 0.367345f},
    {"layers.3.attention.wq.weight", 0.006992f, 0.021131f},
    {"layers.3.attention.wo.weight", 0.006997f, 0.021187f},
    {"layers.3.feed_forward.w2.weight", 0.006970f, 0.021111f},
    {"output.weight", 0.087210f, 0.265155f},
};
static const struct figures peer[] = {
    {"layers.2.feed_forward.keys", 0.072190f, 0.124982f},
    {"layers.2.feed_forward.values_u.weight", 0.088323f, 0.434498f},
    {"layers.2.feed_forward.values_v.weight", 0.088468f, 0.433765f},
    {"layers.2.feed_forward.query_proj.query_mlps.0.weight", 0.072237f, 0.124999f},
    {"layers.2.feed_forward.query_proj.query_mlps.0.bias", 0.053131f, 0.088328f},
};

static struct model_config config_of_figures(void) {
    return (struct model_config){.vocab_size = 2000,
                                 .dim = 128,
                                 .n_layers = 4,
                                 .n_heads = 4,
                                 .n_kv_heads = 2,
                                 .multiple_of = 32,
                                 .max_seq_len = 32,
                                 .norm_eps = 1e-5f,
                                 .rope_theta = 10000.0f,
                                 .init = INIT_OF_LINGUA,
                                 .memory = {.n_layers = 1,
                                            .layers = {2},
                                            .n_keys = 64,
                                            .heads = 4,
                                            .knn = 4,
                                            .k_dim = 64,
                                            .v_dim = 96,
                                            .gated = true,
                                            MEMORY_PLUS}};
}

static void measure(const struct parameter *p, double *std, float *largest) {
    double sum = 0.0, squares = 0.0;
    *largest = 0.0f;
    for (size_t i = 0; i < p->count; i++) {
        double x = (double)p->data[i];
        sum += x;
        squares += x * x;
        if (fabsf(p->data[i]) > *largest) *largest = fabsf(p->data[i]);
    }
    const double n = (double)p->count, mean = sum / n;
    *std = p->count > 1 ? sqrt((squares - n * mean * mean) / (n - 1.0)) : 0.0;
    ck_assert_msg(fabs(mean) <= 5.0 * *std / sqrt(n) || p->count == 1, "%s: mean %g", p->name,
                  mean);
}

/* The standard deviation of each of two samples of n has a relative error of about (2 n)^-0.5. */
static void check_figures(const struct model_config *config, size_t n,
                          const struct figures *figures) {
    struct model model;
    mneme_error error = {0};
    assert_ok(model_open(config, &model, &error), &error);
    model_initialize(&model, 3);
    for (size_t i = 0; i < n; i++) {
        const struct parameter *p = model_parameter(&model, figures[i].name);
        ck_assert_msg(p != NULL, "no %s", figures[i].name);
        double std, expected = (double)figures[i].std, slack = 4.0 / sqrt((double)p->count);
        float largest;
        measure(p, &std, &largest);
        ck_assert_msg(fabs(std - expected) <= slack * expected, "%s: std %.6f, not %.6f", p->name,
                      std, expected);
        double furthest = (double)(largest / figures[i].largest - 1.0f);
        ck_assert_msg(fabs(furthest) < (p->count > 1000 ? 0.12 : 0.3) || p->count == 1,
                      "%s: up to %.6f, not %.6f", p->name, (double)largest,
                      (double)figures[i].largest);
    }
    model_close(&model);
}
#define CHECK(config, figures) check_figures(config, sizeof(figures) / sizeof *(figures), figures)

START_TEST(of_the_reference) {
    struct model_config config = config_of_figures();
    CHECK(&config, disabled);
    config.init_std_factor = INIT_STD_GLOBAL_DEPTH;
    CHECK(&config, global_depth);
    config.init_std_factor = INIT_STD_CURRENT_DEPTH;
    CHECK(&config, current_depth);
    config.init_base_std = 0.02f;
    CHECK(&config, base_std);
    config.init_base_std = 0.0f;
    config.init_std_factor = INIT_STD_DIM_RATIO;
    CHECK(&config, dim_ratio);
}
END_TEST

START_TEST(of_the_reference_peer) {
    struct model_config config = config_of_figures();
    config.memory = (struct memory_config){.n_layers = 1,
                                           .layers = {2},
                                           .n_keys = 64,
                                           .heads = 4,
                                           .knn = 4,
                                           .k_dim = 64,
                                           .v_dim = 128,
                                           .query_bias = true,
                                           .peer_variant = true};
    CHECK(&config, peer);
}
END_TEST

/* Shares of what lies beyond one and two standard deviations (of the uncut normal). */
static void check_shape(struct model *model, const char *name, float std, double beyond_one,
                        double beyond_two, float most) {
    const struct parameter *p = model_parameter(model, name);
    size_t one = 0, two = 0;
    for (size_t i = 0; i < p->count; i++) {
        one += fabsf(p->data[i]) > std;
        two += fabsf(p->data[i]) > 2.0f * std;
        ck_assert_msg(fabsf(p->data[i]) <= most, "%s: %g", name, (double)p->data[i]);
    }
    ck_assert_double_eq_tol((double)one / (double)p->count, beyond_one, 0.01);
    ck_assert_double_eq_tol((double)two / (double)p->count, beyond_two, 0.005);
}

/* A normal that is cut at 3 has (2 Q(1) - 2 Q(3)) / (1 - 2 Q(3)) = 0.31646 beyond 1, and 0.04292
 * beyond 2; one that is not, 0.31731 and 0.04550. A uniform one in +-1.73205 std has 0.42265 and
 * none. */
START_TEST(shapes) {
    struct model_config config = config_of_figures();
    struct model model;
    mneme_error error = {0};
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 9);
    const float std = 1.0f / sqrtf(128.0f), bound = sqrtf(6.0f / 384.0f);
    check_shape(&model, "tok_embeddings.weight", std, 0.31646, 0.04292, 3.0f * std);
    check_shape(&model, "layers.0.feed_forward.w1.weight", std, 0.31646, 0.04292, 3.0f * std);
    check_shape(&model, "layers.2.feed_forward.values.weight", 1.0f / sqrtf(96.0f), 0.31731, 0.0455,
                1.0f);
    check_shape(&model, "layers.2.feed_forward.query_proj.query_mlps.0.weight", bound / sqrtf(3.0f),
                0.42265, 0.0, bound);
    model_close(&model);
}
END_TEST

/* Where the cut draws again it draws what no other number has, and all numbers are the uncut ones
 * but for these. */
START_TEST(cut_numbers_are_drawn_again) {
    struct model_config config = config_of_figures();
    struct model cut, whole;
    mneme_error error = {0};
    assert_ok(model_open(&config, &cut, &error), &error);
    model_initialize(&cut, 5);
    config.init = INIT_OF_MNEME;
    assert_ok(model_open(&config, &whole, &error), &error);
    model_initialize(&whole, 5);
    const float limit = 3.0f / sqrtf(128.0f);
    size_t again = 0;
    for (size_t i = 0; i < cut.output->count; i++) {
        if (fabsf(whole.output->data[i]) <= limit) {
            ck_assert(cut.output->data[i] == whole.output->data[i]);
        } else {
            again++;
        }
    }
    ck_assert_double_eq_tol((double)again / (double)cut.output->count, 0.0027, 0.0005);
    model_close(&whole);
    model_close(&cut);
}
END_TEST

Suite *initialize_suite(void) {
    Suite *suite = suite_create("initialize");
    TCase *tests = tcase_create("model");
    tcase_add_test(tests, of_the_reference);
    tcase_add_test(tests, of_the_reference_peer);
    tcase_add_test(tests, shapes);
    tcase_add_test(tests, cut_numbers_are_drawn_again);
    suite_add_tcase(suite, tests);
    return suite;
}
