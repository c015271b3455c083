/* One writer in a folder, or readers, or what a killed one left. */

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/path.h"
#include "tests/assertions.h"
#include "tests/temporary.h"

#define NAME "lock"

/* A process that has the lock until it is killed. */
static pid_t start_writer(const char *folder) {
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t process = fork();
    if (process == 0) {
        struct file_lock lock;
        if (file_lock_take(&lock, folder, NAME, NULL) != MNEME_OK) _exit(1);
        if (write(ready[1], "", 1) != 1) _exit(1);
        for (;;) pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return process;
}

START_TEST(other_process) {
    const char *folder = temporary_path("new/folder");
    struct file_lock lock;
    mneme_error error = {0};
    char process[64];
    pid_t writer = start_writer(folder);
    snprintf(process, sizeof process, "process %ld is at work there", (long)writer);
    assert_refused(file_lock_take(&lock, folder, NAME, &error), &error, MNEME_FAILED, folder,
                   process);
    file_lock_release(&lock);
    assert_refused(file_lock_share(&lock, folder, NAME, &error), &error, MNEME_FAILED, folder,
                   process);
    file_lock_release(&lock);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    ck_assert(file_exists(path_in(folder, NAME).text));
    assert_ok(file_lock_take(&lock, folder, NAME, &error), &error);
    file_lock_release(&lock);
    ck_assert(!file_exists(path_in(folder, NAME).text));
    ck_assert(file_exists(folder));
}
END_TEST

START_TEST(readers) {
    const char *folder = temporary_path("folder");
    struct file_lock first, second, writer;
    mneme_error error = {0};
    assert_ok(directory_make(folder, &error), &error);
    assert_ok(file_lock_share(&first, folder, NAME, &error), &error);
    ck_assert(!first.held && !file_exists(path_in(folder, NAME).text));
    file_lock_release(&first);
    temporary_write("folder/" NAME, "7\n", 2);
    assert_ok(file_lock_share(&first, folder, NAME, &error), &error);
    assert_ok(file_lock_share(&second, folder, NAME, &error), &error);
    assert_refused(file_lock_take(&writer, folder, NAME, &error), &error, MNEME_FAILED, folder,
                   "is at work");
    file_lock_release(&writer);
    file_lock_release(&first);
    ck_assert(file_exists(path_in(folder, NAME).text));
    file_lock_release(&second);
    ck_assert(!file_exists(path_in(folder, NAME).text));
}
END_TEST

/* A folder that nothing came into goes with the lock. */
START_TEST(new_folder) {
    const char *folder = temporary_path("folder");
    struct file_lock lock;
    mneme_error error = {0};
    assert_ok(file_lock_take(&lock, folder, NAME, &error), &error);
    file_lock_release(&lock);
    ck_assert(!file_exists(folder));
    assert_ok(file_lock_take(&lock, folder, NAME, &error), &error);
    temporary_write("folder/result", "1", 1);
    file_lock_release(&lock);
    ck_assert(file_exists(path_in(folder, "result").text));
}
END_TEST

Suite *file_lock_suite(void) {
    Suite *suite = suite_create("file_lock");
    TCase *tests = tcase_create("folder");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, other_process);
    tcase_add_test(tests, readers);
    tcase_add_test(tests, new_folder);
    suite_add_tcase(suite, tests);
    return suite;
}
