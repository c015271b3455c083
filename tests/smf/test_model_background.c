/* The background in a model folder: what fits, and what is refused. */

#include <check.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "model/tiny_model.h"
#include "smf/background_counter.h"
#include "smf/model_background.h"
#include "tests/assertions.h"
#include "tests/temporary.h"

static struct tiny_model tiny;
static struct background counted;

static void set_up(void) {
    struct model_config config = tiny_model_config();
    struct background_counter counter;
    mneme_error error;
    temporary_make();
    tiny_model_open(&tiny, &config);
    assert_ok(background_open(&counted, model_background_slots(&tiny.model), &error), &error);
    assert_ok(background_counter_open(&counter, &tiny.model, tiny.batch.n_tokens, &error), &error);
    assert_ok(background_counter_add(&counter, &tiny.batch, &counted, &error), &error);
    background_counter_close(&counter);
    assert_ok(model_background_save(&counted, &tiny.model, temporary_folder, &error), &error);
}

static void tear_down(void) {
    background_close(&counted);
    tiny_model_close(&tiny);
    temporary_remove();
}

/* Every token reads heads * knn slots, and the file has them all. */
START_TEST(kept) {
    struct background found;
    mneme_error error;
    const struct memory_config *memory = &tiny.model.config.memory;
    size_t reads = 0;
    ck_assert(model_background_exists(temporary_folder));
    assert_ok(model_background_load(&found, &tiny.model, temporary_folder, &error), &error);
    ck_assert_uint_eq(found.n_batches, 1);
    ck_assert_uint_eq(found.n_slots, counted.n_slots);
    for (size_t i = 0; i < found.n_slots; i++) reads += (size_t)found.reads[i];
    ck_assert_uint_eq(reads, tiny.batch.n_tokens * memory->heads * memory->knn * memory->n_layers);
    ck_assert_mem_eq(found.reads, counted.reads, found.n_slots * sizeof *found.reads);
    ck_assert_mem_eq(found.batches_reading, counted.batches_reading,
                     found.n_slots * sizeof *found.reads);
    background_close(&found);
}
END_TEST

/* Counting stops at the last memory layer: what the layers below it read is that of a whole pass.
 */
START_TEST(counts_all_memories) {
    struct model_config config = tiny_model_config();
    struct background_counter counter;
    struct background expected, found;
    struct row_scatter reads;
    struct tiny_model two;
    mneme_error error;
    config.memory.n_layers = 2;
    config.memory.layers[0] = 0;
    config.memory.layers[1] = 2;
    tiny_model_open(&two, &config);
    const size_t n_slots = model_background_slots(&two.model), n_tokens = two.batch.n_tokens;
    assert_ok(background_open(&expected, n_slots, &error), &error);
    assert_ok(batch_reads_open(&reads, &two.model, n_tokens, &error), &error);
    assert_ok(model_forward(&two.pass, &two.batch, NULL, &error), &error);
    batch_reads_sort(&reads, &two.pass);
    background_add(&expected, batch_reads_slots(&reads));
    assert_ok(background_open(&found, n_slots, &error), &error);
    assert_ok(background_counter_open(&counter, &two.model, n_tokens, &error), &error);
    assert_ok(background_counter_add(&counter, &two.batch, &found, &error), &error);
    ck_assert_mem_eq(found.reads, expected.reads, n_slots * sizeof *found.reads);
    ck_assert_mem_eq(found.batches_reading, expected.batches_reading,
                     n_slots * sizeof *found.batches_reading);
    background_counter_close(&counter);
    background_close(&found);
    background_close(&expected);
    row_scatter_close(&reads);
    tiny_model_close(&two);
}
END_TEST

static void refuse(const char *cause) {
    struct background found;
    mneme_error error;
    assert_refused(model_background_load(&found, &tiny.model, temporary_folder, &error), &error,
                   MNEME_BAD_INPUT, MODEL_BACKGROUND_FILE, cause);
}

/* Changing a number of the parameter, once, is seen or not. */
static void change(struct parameter *parameter, bool matters) {
    struct background found;
    mneme_error error;
    const float before = parameter->data[0];
    parameter->data[0] = before + 1.0f;
    if (matters) {
        refuse("other queries or keys");
    } else {
        assert_ok(model_background_load(&found, &tiny.model, temporary_folder, &error), &error);
        background_close(&found);
    }
    parameter->data[0] = before;
}

START_TEST(fits_what_decides_the_reads) {
    const size_t top = tiny.model.config.memory.layers[tiny.model.config.memory.n_layers - 1];
    ck_assert_uint_lt(top + 1, tiny.model.config.n_layers);
    const struct layer *layer = &tiny.model.layers[top];
    change(tiny.model.embedding, true);
    change(tiny.model.layers[0].wq, true);
    change(layer->query_weight, true);
    change(layer->keys, true);
    change(layer->values, false);
    change(tiny.model.layers[top + 1].wq, false);
    change(tiny.model.norm, false);
}
END_TEST

START_TEST(another_model_is_refused) {
    tiny.model.config.memory.knn--;
    refuse("another `knn`");
    tiny.model.config.memory.knn++;
    const size_t tables = tiny.model.n_tables;
    tiny.model.n_tables = 0;
    refuse("has no memory");
    tiny.model.n_tables = tables;
}
END_TEST

/* That of a run folder says nothing of a model. */
START_TEST(one_without_digest_is_refused) {
    mneme_error error;
    assert_ok(background_save(&counted, temporary_path(MODEL_BACKGROUND_FILE), &error), &error);
    refuse("no metadata `knn`");
}
END_TEST

START_TEST(damage_is_refused) {
    char *bytes;
    size_t length;
    mneme_error error;
    const char *path = temporary_path(MODEL_BACKGROUND_FILE);
    assert_ok(file_read(path, SIZE_MAX / 2, &bytes, &length, &error), &error);
    bytes[length - 1] ^= 1;
    temporary_write(MODEL_BACKGROUND_FILE, bytes, length);
    refuse("is damaged");
    temporary_write(MODEL_BACKGROUND_FILE, bytes, length - 1);
    refuse("");
    temporary_write(MODEL_BACKGROUND_FILE, bytes, 0);
    refuse("");
    free(bytes);
}
END_TEST

Suite *model_background_suite(void) {
    Suite *suite = suite_create("model_background");
    TCase *tests = tcase_create("model_background");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, kept);
    tcase_add_test(tests, counts_all_memories);
    tcase_add_test(tests, fits_what_decides_the_reads);
    tcase_add_test(tests, another_model_is_refused);
    tcase_add_test(tests, one_without_digest_is_refused);
    tcase_add_test(tests, damage_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
