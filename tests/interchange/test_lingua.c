/* Checkpoints of Meta Lingua in, with memory layers of every form, and backgrounds beside them. */

#include <mneme/interchange.h>

#include "base/file.h"
#include "base/path.h"
#include "model/model.h"
#include "smf/model_background.h"
#include "tensor/safetensors.h"
#include "tests/interchange/imports.h"
#include "tests/temporary.h"

static const struct model_config memory_config = {.vocab_size = 30,
                                                  .dim = 16,
                                                  .n_layers = 3,
                                                  .n_heads = 4,
                                                  .n_kv_heads = 2,
                                                  .multiple_of = 1,
                                                  .hidden_dim = 20,
                                                  .max_seq_len = 32,
                                                  .norm_eps = 1e-5f,
                                                  .rope_theta = 1000.0f,
                                                  .memory = {.n_layers = 2,
                                                             .layers = {0, 2},
                                                             .n_keys = 4,
                                                             .heads = 2,
                                                             .knn = 3,
                                                             .k_dim = 8,
                                                             .v_dim = 16,
                                                             .share_values = true,
                                                             .query_bias = true,
                                                             .swilu_projection = true,
                                                             .value_proj = true}};

#define PARAMS                                                                                   \
    "{\"name\": \"x\", \"model\": {\"dim\": 16, \"n_layers\": 3, \"n_heads\": 4, \"head_dim\": " \
    "null,"                                                                                      \
    "\"n_kv_heads\": 2, \"vocab_size\": 30, \"max_seqlen\": 32, \"rope_theta\": 1000.0,"         \
    "\"sliding_window\": null, \"productkey_args\": {\"is_enabled\": true, \"layers\": \"%s\","  \
    "\"mem_n_keys\": 4, \"mem_heads\": 2, \"mem_knn\": 3, \"mem_k_dim\": 8, \"mem_v_dim\": -1,"  \
    "\"%s\": %s}}}"

static void write_params(const char *layers, const char *key, const char *value) {
    char text[1024];
    snprintf(text, sizeof text, PARAMS, layers, key, value);
    temporary_write("params.json", text, strlen(text));
}

/* Writes a checkpoint as Lingua's would be after its conversion: shared values twice. */
static void write_lingua(const struct model_config *config, struct model *model) {
    mneme_error error = {0};
    struct tensor tensors[64];
    char copies[2][PARAMETER_NAME_SIZE];
    assert_ok(model_open(config, model, &error), &error);
    model_initialize(model, 3);
    size_t n = model->n_parameters, n_copies = 0;
    for (size_t i = 0; i < n; i++) {
        const struct parameter *p = &model->parameters[i];
        tensors[i] =
            (struct tensor){.name = p->name, .type = TENSOR_F32, .rank = p->rank, .data = p->data};
        memcpy(tensors[i].shape, p->shape, sizeof p->shape);
        if (p->kind == PARAMETER_COMMON) continue;
        snprintf(copies[n_copies], sizeof *copies, "layers.2%s", p->name + strlen("layers.0"));
        tensors[n + n_copies] = tensors[i];
        tensors[n + n_copies].name = copies[n_copies];
        n_copies++;
    }
    assert_ok(safetensors_write(temporary_path("model.safetensors"), tensors, n + n_copies, NULL, 0,
                                &error),
              &error);
}

START_TEST(lingua_memory_layers_are_imported) {
    struct model model;
    write_lingua(&memory_config, &model);
    write_params("0,2", "swilu_projection", "true");
    import("lingua", temporary_folder, temporary_path("m"));
    check_same_model(temporary_path("m"), &model);
    mneme_interchange_result result;
    mneme_error error;
    assert_refused(
        mneme_export("hf", temporary_path("m"), temporary_path("e"), NULL, &result, &error), &error,
        MNEME_BAD_INPUT, "/m: layer 0", "memory layer");
    model_close(&model);
}
END_TEST

/* Written into the checkpoint's folder, of 7 batches that read slot 3. */
static void write_background(const struct model *model) {
    struct background background;
    mneme_error error;
    assert_ok(background_open(&background, model_background_slots(model), &error), &error);
    background.n_batches = 7;
    background.batches_reading[3] = background.reads[3] = 7;
    assert_ok(model_background_save(&background, model, temporary_folder, &error), &error);
    background_close(&background);
}

START_TEST(a_background_comes_along_where_it_fits) {
    struct model model;
    struct background background;
    mneme_interchange_result result;
    mneme_error error;
    write_lingua(&memory_config, &model);
    write_params("0,2", "swilu_projection", "true");
    write_background(&model);
    import("lingua", temporary_folder, temporary_path("m"));
    assert_ok(model_background_load(&background, &model, temporary_path("m"), &error), &error);
    ck_assert_int_eq(background.batches_reading[3], 7);
    background_close(&background);
    model.layers[0].keys->data[0] += 1.0f;
    write_background(&model);
    assert_refused(
        mneme_import("lingua", temporary_folder, temporary_path("n"), NULL, &result, &error),
        &error, MNEME_BAD_INPUT, MODEL_BACKGROUND_FILE, "does not fit the model");
    ck_assert(!file_exists(temporary_path("n")));
    model_close(&model);
}
END_TEST

START_TEST(lingua_memory_layers_of_every_form_are_imported) {
    const struct memory_config plain = memory_config.memory;
    struct memory_config forms[6];
    for (size_t i = 0; i < 6; i++) forms[i] = plain;
    forms[0].query_bias = false;
    forms[1].gated = true;
    forms[2].swilu_projection = false;
    forms[3].swilu_projection = forms[3].value_proj = false;
    forms[4].swilu_projection = forms[4].value_proj = false;
    forms[4].peer_variant = true;
    forms[5] = forms[4];
    forms[5].gated = true;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct model_config config = memory_config;
        struct model model;
        char value[96];
        config.memory = forms[i];
        write_lingua(&config, &model);
        /* PEER keeps the default of swilu_projection, which it has not. */
        snprintf(value, sizeof value, "%s, \"mem_gated\": %s, \"swilu_projection\": %s",
                 forms[i].peer_variant ? "true" : "false", forms[i].gated ? "true" : "false",
                 forms[i].swilu_projection || forms[i].peer_variant ? "true" : "false");
        write_params("0,2", "peer_variant", value);
        import("lingua", temporary_folder, temporary_path("m"));
        check_same_model(temporary_path("m"), &model);
        model_close(&model);
    }
}
END_TEST

START_TEST(other_checkpoints_are_refused) {
    static const char *const cases[][4] = {
        {"0,2", "mem_gated", "true", "no tensor `layers.0.feed_forward.gating."},
        {"0,2", "peer_variant", "true", "no tensor `layers.0.feed_forward.values_"},
        {"0,2", "swilu_projection", "false", "layers.0.feed_forward.swilu_projection."},
        {"0,2", "mem_gated", "7", "must be true or false"},
        {"0;2", "mem_gated", "false", "with commas between"},
        {"0, ,2", "mem_gated", "false", "with commas between"},
        {"0,2_", "mem_gated", "false", "with commas between"},
        {"1,2", "mem_gated", "false", "no tensor `layers.0.feed_forward.w1.weight`"},
        {"0,2", "mem_query_batchnorm", "true",
         "`model.productkey_args.mem_query_batchnorm`: is true"},
        {"0,2", "mem_score_normalize", "true", "mem_score_normalize`: is true"},
        {"0,2", "mem_topk", "5", "mem_topk`: is 5, which mneme does not know"},
        {"0,2", "mem_share_values", "7", "must be true or false"},
    };
    struct model model;
    write_lingua(&memory_config, &model);
    model_close(&model);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_params(cases[i][0], cases[i][1], cases[i][2]);
        check_import_refused("lingua", temporary_folder, temporary_folder, cases[i][3]);
    }
    ck_assert_int_eq(remove(temporary_path("model.safetensors")), 0);
    temporary_write("consolidated.pth", "PK", 2);
    check_import_refused("lingua", temporary_folder, "consolidated.pth: ", "s.save_file(");
}
END_TEST

/* What Python's int() takes of each part, in any order; layers that are none are passed over. */
START_TEST(lingua_layer_lists_are_read_as_the_reference_reads_them) {
    static const char *const lists[] = {"2,0",     "0, 2", " 0 ,2 ", "0,2,",  ",0,,2",
                                        "0,2,2,0", "+0,2", "0,0_2",  "0,2,9", "-1,0,2"};
    struct model model;
    write_lingua(&memory_config, &model);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        write_params(lists[i], "mem_query_batchnorm", "false");
        import("lingua", temporary_folder, temporary_path("m"));
        check_same_model(temporary_path("m"), &model);
    }
    model_close(&model);
}
END_TEST

/* Adds tensors to the checkpoint of the folder. */
static void add_zeros(struct model *model, const char *const *names, size_t n) {
    static const float zeros[16 * 16] = {0};
    struct tensor tensors[64];
    mneme_error error = {0};
    for (size_t i = 0; i < model->n_parameters; i++) {
        tensors[i] = parameter_tensor(&model->parameters[i], model->parameters[i].data);
    }
    for (size_t i = 0; i < n; i++) {
        bool vector = strstr(names[i], "bias") != NULL;
        tensors[model->n_parameters + i] = (struct tensor){.name = names[i],
                                                           .type = TENSOR_F32,
                                                           .rank = vector ? 1 : 2,
                                                           .shape = {16, vector ? 0 : 16},
                                                           .data = zeros};
    }
    assert_ok(safetensors_write(temporary_path("model.safetensors"), tensors,
                                model->n_parameters + n, NULL, 0, &error),
              &error);
}

/* The reference makes them for PEER by default and never uses them. */
START_TEST(needless_projections_of_peer_are_passed_over) {
    static const char *const names[] = {
        "layers.0.feed_forward.swilu_projection.weight",
        "layers.0.feed_forward.swilu_projection.bias", "layers.0.feed_forward.value_proj.weight",
        "layers.0.feed_forward.value_proj.bias", "layers.2.feed_forward.swilu_projection.weight"};
    struct model_config config = memory_config;
    struct model model;
    config.memory.peer_variant = true;
    config.memory.swilu_projection = config.memory.value_proj = false;
    write_lingua(&config, &model);
    add_zeros(&model, names, 5);
    write_params("0,2", "peer_variant", "true, \"swilu_projection\": true");
    import("lingua", temporary_folder, temporary_path("m"));
    check_same_model(temporary_path("m"), &model);
    model_close(&model);
}
END_TEST

Suite *lingua_suite(void) {
    Suite *suite = suite_create("lingua");
    TCase *cases = tcase_create("lingua");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, lingua_memory_layers_are_imported);
    tcase_add_test(cases, a_background_comes_along_where_it_fits);
    tcase_add_test(cases, lingua_memory_layers_of_every_form_are_imported);
    tcase_add_test(cases, other_checkpoints_are_refused);
    tcase_add_test(cases, lingua_layer_lists_are_read_as_the_reference_reads_them);
    tcase_add_test(cases, needless_projections_of_peer_are_passed_over);
    suite_add_tcase(suite, cases);
    return suite;
}
