/* Operations of a model's tokens, what a machine has left, and what fits into it. */

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "assertions.h"
#include "base/file.h"
#include "budget/budget.h"
#include "budget/bytes_text.h"
#include "budget/model_work.h"
#include "model/tiny_model.h"
#include "temporary.h"

/* SmolLM2-135M's. */
static struct model_config smollm2(void) {
    return (struct model_config){.vocab_size = 49152,
                                 .dim = 576,
                                 .n_layers = 30,
                                 .n_heads = 9,
                                 .n_kv_heads = 3,
                                 .hidden_dim = 1536,
                                 .multiple_of = 32,
                                 .max_seq_len = 8192,
                                 .tied_output = true};
}

/* torch.utils.flop_counter (PyTorch 2.13) over transformers' LlamaForCausalLM 5.24 of that size and
 * 512 tokens counts these of aten.mm, and of its backward pass three times as many with the forward
 * one's. Attention is counted otherwise there, without the mask. */
#define TORCH_PRODUCTS 137707388928.0
#define TORCH_PARAMETERS 134515008

START_TEST(operations) {
    const struct model_config config = smollm2();
    const struct pass_work work = {512.0, 512.0, 512.0};
    struct model model;
    mneme_error error = {0};
    assert_ok(model_describe(&config, &model, &error), &error);
    const double pairs = 30.0 * 9.0 * 512.0 * 513.0 / 2.0;
    ck_assert_double_eq(work_forward(&model, &work, 0) - pairs * (4.0 * 64.0 + 5.0),
                        TORCH_PRODUCTS);
    ck_assert_double_eq(work_backward(&model, &work, 0, true) - pairs * (10.0 * 64.0 + 9.0),
                        2.0 * TORCH_PRODUCTS);
    ck_assert_double_eq(work_backward(&model, &work, 0, false) - pairs * (10.0 * 64.0 + 9.0),
                        TORCH_PRODUCTS);
    const struct model_parts parts = model_parts(&model);
    ck_assert_uint_eq(parts.embedding, 49152 * 576);
    ck_assert_uint_eq(parts.ffn, 30 * 3 * 576 * 1536);
    ck_assert_uint_eq(parts.embedding + parts.attention + parts.ffn + parts.norms + parts.output,
                      TORCH_PARAMETERS);
    model_close(&model);
}
END_TEST

/* Every parameter is of one part, of any memory. */
START_TEST(parts_of_memories) {
    struct model_config config = tiny_model_config();
    for (int i = 0; i < 4; i++) {
        struct model model;
        mneme_error error = {0};
        config.memory.lookup_norm = config.qk_norm = i > 0;
        config.memory.peer_variant = config.memory.gated = config.mlp_bias = i > 1;
        if (i > 1) config.memory.v_dim = config.dim;
        config.memory.placement = i > 2 ? MEMORY_BESIDE : MEMORY_REPLACES;
        config.attention_bias = i > 2 ? ATTENTION_BIAS_QKVO : ATTENTION_BIAS_NONE;
        assert_ok(model_describe(&config, &model, &error), &error);
        const struct model_parts p = model_parts(&model);
        ck_assert_uint_eq(p.embedding + p.attention + p.ffn + p.norms + p.output + p.memory_keys +
                              p.memory_values + p.memory_other,
                          model_count(&model));
        ck_assert_uint_eq(p.memory_values, (size_t)(i > 1 ? 2 : 1) * 81 * config.memory.v_dim);
        ck_assert_uint_eq(p.memory_keys % 2, 0);
        model_close(&model);
    }
}
END_TEST

static void put(const char *file, const char *text) {
    struct path path = path_in(temporary_path("root"), "%s", file);
    mneme_error error = {0};
    assert_ok(directory_make(path_parent(path.text).text, &error), &error);
    FILE *stream = fopen(path.text, "w");
    ck_assert_ptr_nonnull(stream);
    fputs(text, stream);
    fclose(stream);
}

static struct machine_room room(void) {
    return machine_room(temporary_path("root"), NULL);
}

/* Free memory; or less where a group or one above it has a limit. */
START_TEST(room_of_groups) {
    const size_t own = 10 * (size_t)sysconf(_SC_PAGESIZE);
    put("proc/self/statm", "100 10 5 1 0 20 0\n");
    put("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n");
    ck_assert_uint_eq(room().process, own);
    ck_assert_uint_eq(room().memory, 8000 * 1024 + own);
    ck_assert_str_eq(room().bound, "free memory");
    put("proc/self/cgroup", "0::/a/b\n");
    put("sys/fs/cgroup/a/b/memory.max", "max\n");
    put("sys/fs/cgroup/a/b/memory.current", "1000000\n");
    ck_assert_str_eq(room().bound, "free memory");
    /* Of 3,000,000 bytes others have 1,000,000 - 40,960, of which 100,000 are of files. */
    put("sys/fs/cgroup/a/memory.max", "3000000\n");
    put("sys/fs/cgroup/a/memory.current", "1000000\n");
    put("sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 100000\n");
    ck_assert_uint_eq(room().memory, 3000000 - (1000000 - 100000 - own));
    ck_assert_str_eq(room().bound, "the control group's limit");
    put("proc/self/cgroup", "5:memory:/docker/x\n0::/\n");
    put("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "2000000\n");
    put("sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes", "60000\n");
    ck_assert_uint_eq(room().memory, 2000000 - (60000 - own));
    put("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "9223372036854771712\n");
    ck_assert_str_eq(room().bound, "free memory");
}
END_TEST

START_TEST(room_of_address_space) {
    put("proc/self/statm", "100 10 5 1 0 20 0\n");
    put("proc/meminfo", "MemAvailable: 8000000000 kB\n");
    struct rlimit before, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)1 << 40;
    if (before.rlim_max != RLIM_INFINITY && before.rlim_max < limit.rlim_cur) return;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    struct machine_room found = room();
    setrlimit(RLIMIT_AS, &before);
    ck_assert_uint_eq(found.memory, ((size_t)1 << 40) - 90 * (size_t)sysconf(_SC_PAGESIZE));
    ck_assert_ptr_nonnull(strstr(found.bound, "ulimit -v"));
}
END_TEST

/* A folder that is not there yet is on the disk of the one above it. */
START_TEST(disk) {
    const size_t there = machine_room("/", temporary_folder).disk;
    const size_t later = machine_room("/", path_in(temporary_folder, "a/b/c").text).disk;
    ck_assert_uint_gt(there, 0);
    ck_assert_uint_ne(there, SIZE_MAX);
    ck_assert_uint_lt(later > there ? later - there : there - later, (size_t)1 << 30);
    ck_assert_uint_ne(machine_room("/", "no-such-folder/x").disk, SIZE_MAX);
}
END_TEST

static void add(struct budget *b, size_t bytes, struct stage_needs needs, const char *name) {
    struct arena arena;
    float *array;
    mneme_error error = {0};
    const struct arena_piece piece = {&array, bytes, 1};
    mneme_status status = arena_layout(&arena, 1, &piece, "weights", &error);
    arena_close(&arena);
    assert_ok(budget_add(b, status, &needs, &error, "%s", name), &error);
}

START_TEST(fits) {
    struct budget b;
    mneme_error error = {0};
    unsetenv("MNEME_OVERSIZE");
    budget_open(&b, temporary_folder);
    b.room = (struct machine_room){
        .memory = 5000000, .bound = "free memory", .process = 1000000, .disk = 3000};
    add(&b, 3000000, (struct stage_needs){.disk = 1000, .scratch_disk = 500}, "first");
    add(&b, 2000000, (struct stage_needs){.disk = 1000}, "second");
    ck_assert_uint_eq(b.n_stages, 2);
    ck_assert_uint_eq(b.stages[1].memory, 1000000 + 2000000);
    ck_assert_uint_eq(budget_peak(&b), 4000000);
    ck_assert_uint_eq(budget_disk(&b), 2000);
    assert_ok(budget_check(&b, "recipe.json", &error), &error);
    b.room.memory = 3999999;
    assert_refused(budget_check(&b, "recipe.json", &error), &error, MNEME_FAILED, "",
                   "recipe.json: needs 4.00 MB of memory in stage `first` (weights 3.00 MB), but "
                   "there are 4.00 MB (free memory)");
    ck_assert(!budget_is_waived());
    setenv("MNEME_OVERSIZE", "1", 1);
    ck_assert(budget_is_waived());
    unsetenv("MNEME_OVERSIZE");
    b.room.memory = 5000000;
    b.room.disk = 1999;
    assert_refused(budget_check(&b, "recipe.json", &error), &error, MNEME_FAILED, "",
                   "needs 2.00 kB on disk, but 2.00 kB are free");
    budget_close(&b);
}
END_TEST

/* What cannot even be reserved is a stage that does not fit, whatever there is. */
START_TEST(beyond_all) {
    struct budget b;
    mneme_error error = {0};
    budget_open(&b, NULL);
    b.room.memory = SIZE_MAX;
    add(&b, (size_t)1 << 60, (struct stage_needs){0}, "huge");
    ck_assert(!budget_fits(&b));
    assert_refused(budget_check(&b, "x", &error), &error, MNEME_FAILED, "", "more than 1153 PB");
    budget_close(&b);
}
END_TEST

START_TEST(texts) {
    char text[BYTES_TEXT];
    ck_assert_str_eq(bytes_text(0, text), "0 B");
    ck_assert_str_eq(bytes_text(999, text), "999 B");
    ck_assert_str_eq(bytes_text(999999, text), "1.00 MB");
    ck_assert_str_eq(bytes_text(2898900000, text), "2.90 GB");
    ck_assert_str_eq(bytes_text(538060032, text), "538 MB");
    ck_assert_str_eq(count_text(1.2e12, text), "1.20 T");
    ck_assert_str_eq(seconds_text(0.43, text), "0.4 s");
    ck_assert_str_eq(seconds_text(89.0, text), "89 s");
    ck_assert_str_eq(seconds_text(200.0, text), "3.3 min");
    ck_assert_str_eq(seconds_text(7200.0, text), "2.0 h");
    ck_assert_str_eq(seconds_text(864000.0, text), "10 days");
}
END_TEST

Suite *budget_suite(void) {
    Suite *suite = suite_create("budget");
    TCase *tests = tcase_create("budgets");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, operations);
    tcase_add_test(tests, parts_of_memories);
    tcase_add_test(tests, room_of_groups);
    if (!HAS_ADDRESS_SANITIZER) tcase_add_test(tests, room_of_address_space);
    tcase_add_test(tests, disk);
    tcase_add_test(tests, fits);
    tcase_add_test(tests, beyond_all);
    tcase_add_test(tests, texts);
    suite_add_tcase(suite, tests);
    return suite;
}
