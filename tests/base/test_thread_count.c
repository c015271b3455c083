/* The number of threads: quotas of made-up control groups, and what OMP_NUM_THREADS may say. */

#include <check.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/thread_count.h"
#include "tests/assertions.h"
#include "tests/temporary.h"

/* Writes a file below the made-up root, with the folders above it. */
static void put(const char *name, const char *text) {
    mneme_error error = {0};
    struct path path = path_in(temporary_path("root"), "%s", name);
    assert_ok(directory_make(path_parent(path.text).text, &error), &error);
    FILE *stream = fopen(path.text, "w");
    ck_assert(stream != NULL && fputs(text, stream) >= 0);
    fclose(stream);
}

static double quota(void) {
    return thread_count_quota(temporary_path("root"));
}

START_TEST(version_2) {
    put("proc/self/cgroup", "0::/user.slice/run.scope\n");
    ck_assert_double_eq(quota(), 0.0);
    put("sys/fs/cgroup/user.slice/run.scope/cpu.max", "max 100000\n");
    ck_assert_double_eq(quota(), 0.0);
    put("sys/fs/cgroup/user.slice/run.scope/cpu.max", "250000 100000\n");
    ck_assert_double_eq(quota(), 2.5);
    put("sys/fs/cgroup/user.slice/cpu.max", "100000 100000\n");
    ck_assert_double_eq(quota(), 1.0);
    put("sys/fs/cgroup/user.slice/cpu.max", "400000 100000\n");
    ck_assert_double_eq(quota(), 2.5);
}
END_TEST

/* A container of its own sees its group as the root, or by a path of the host's. */
START_TEST(container) {
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "50000 100000\n");
    ck_assert_double_eq(quota(), 0.5);
    put("proc/self/cgroup", "0::/docker/0123abcd\n");
    ck_assert_double_eq(quota(), 0.5);
    put("proc/self/cgroup", "0::/../other\n");
    ck_assert_double_eq(quota(), 0.5);
}
END_TEST

START_TEST(version_1) {
    put("proc/self/cgroup", "12:cpuset:/\n4:cpu,cpuacct:/docker/01\n1:name=systemd:/x\n0::/x\n");
    put("sys/fs/cgroup/cpu,cpuacct/docker/01/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu,cpuacct/docker/01/cpu.cfs_period_us", "100000\n");
    ck_assert_double_eq(quota(), 0.0);
    put("sys/fs/cgroup/cpu,cpuacct/docker/01/cpu.cfs_quota_us", "150000\n");
    ck_assert_double_eq(quota(), 1.5);
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "20000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n");
    ck_assert_double_eq(quota(), 0.4);
}
END_TEST

START_TEST(damaged) {
    static const char *const files[] = {"", "0", "max", "-5 100000", "100000 0", "abc def"};
    ck_assert_double_eq(quota(), 0.0);
    put("proc/self/cgroup", "nothing\n0:\n:::\n0::/g\n");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        put("sys/fs/cgroup/g/cpu.max", files[i]);
        ck_assert_double_eq(quota(), 0.0);
    }
}
END_TEST

static size_t found(const char *asked, size_t cpus, double limit) {
    struct thread_count count;
    mneme_error error = {0};
    assert_ok(thread_count_find(asked, cpus, limit, &count, &error), &error);
    return count.threads;
}

START_TEST(least_of_both) {
    ck_assert_uint_eq(found(NULL, 8, 0.0), 8);
    ck_assert_uint_eq(found("", 8, 2.5), 3);
    ck_assert_uint_eq(found(NULL, 2, 2.5), 2);
    ck_assert_uint_eq(found(NULL, 8, 0.1), 1);
    ck_assert_uint_eq(found(NULL, 1, 64.0), 1);
}
END_TEST

START_TEST(asked) {
    static const char *const wrong[] = {"100000", "0",   "-3",  "abc", "1099511627776",        "4,",
                                        "4,0",    "4;2", "2.5", "4x",  "99999999999999999999", ",4",
                                        "+4",     "1025"};
    ck_assert_uint_eq(found("5", 8, 2.5), 5);
    ck_assert_uint_eq(found(" 4 , 2 ", 8, 0.0), 4);
    ck_assert_uint_eq(found("1024", 2, 0.0), 1024);
    ck_assert_uint_eq(found("2000", 4096, 0.0), 2000);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct thread_count count;
        mneme_error error = {0};
        char place[64];
        snprintf(place, sizeof place, "OMP_NUM_THREADS=%s", wrong[i]);
        assert_refused(thread_count_find(wrong[i], 8, 0.0, &count, &error), &error, MNEME_BAD_INPUT,
                       place, "from 1 to 1024");
    }
}
END_TEST

Suite *thread_count_suite(void) {
    Suite *suite = suite_create("thread_count");
    TCase *tests = tcase_create("threads");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, version_2);
    tcase_add_test(tests, container);
    tcase_add_test(tests, version_1);
    tcase_add_test(tests, damaged);
    tcase_add_test(tests, least_of_both);
    tcase_add_test(tests, asked);
    suite_add_tcase(suite, tests);
    return suite;
}
