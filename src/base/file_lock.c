#include "base/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"

static PATH_OUT_OF_LINE mneme_status name_files(struct file_lock *lock, const char *folder,
                                                const char *name, mneme_error *error) {
    *lock = (struct file_lock){.folder = strdup(folder),
                               .file = strdup(path_in(folder, "%s", name).text)};
    return lock->folder != NULL && lock->file != NULL ? MNEME_OK : error_set_memory(error, folder);
}

static mneme_status refuse(const struct file_lock *lock, mneme_error *error) {
    char text[32] = "";
    ssize_t length = pread(lock->descriptor, text, sizeof text - 1, 0);
    long process = length > 0 ? strtol(text, NULL, 10) : 0;
    close(lock->descriptor);
    if (process <= 0) {
        return error_set(error, MNEME_FAILED, "%s: another process is at work there", lock->folder);
    }
    return error_set(error, MNEME_FAILED, "%s: process %ld is at work there", lock->folder,
                     process);
}

/* Whether the open file is still the one of that name: who had it may have removed it since. */
static bool is_current(const struct file_lock *lock) {
    struct stat opened, named;
    return fstat(lock->descriptor, &opened) == 0 && stat(lock->file, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* Whether the file is opened and locked; false with MNEME_OK where it is no more, or cannot be
 * locked at all. */
static mneme_status lock_file(struct file_lock *lock, int flags, int operation,
                              mneme_error *error) {
    for (;;) {
        lock->descriptor = open(lock->file, flags | O_CLOEXEC, 0666);
        if (lock->descriptor < 0) {
            return error_set_errno(error, lock->file, "cannot be opened");
        }
        int refused = flock(lock->descriptor, operation | LOCK_NB) == 0 ? 0 : errno;
        if (refused == EWOULDBLOCK && is_current(lock)) return refuse(lock, error);
        lock->held = refused == 0 && is_current(lock);
        if (lock->held) return MNEME_OK;
        close(lock->descriptor);
        if (refused != 0 && refused != EWOULDBLOCK) return MNEME_OK;
    }
}

mneme_status file_lock_take(struct file_lock *lock, const char *folder, const char *name,
                            mneme_error *error) {
    TRY(name_files(lock, folder, name, error));
    lock->made_folder = !file_exists(folder);
    TRY(directory_make(folder, error));
    TRY(lock_file(lock, O_RDWR | O_CREAT, LOCK_EX, error));
    if (!lock->held) return MNEME_OK;
    if (ftruncate(lock->descriptor, 0) == 0) dprintf(lock->descriptor, "%ld\n", (long)getpid());
    return MNEME_OK;
}

mneme_status file_lock_share(struct file_lock *lock, const char *folder, const char *name,
                             mneme_error *error) {
    TRY(name_files(lock, folder, name, error));
    /* Without a file nobody is at work. */
    mneme_error unread = {0};
    if (access(lock->file, R_OK) != 0) return MNEME_OK;
    mneme_status status = lock_file(lock, O_RDONLY, LOCK_SH, &unread);
    if (status == MNEME_OK || access(lock->file, R_OK) != 0) return MNEME_OK;
    return error_set(error, status, "%s", unread.message);
}

void file_lock_release(struct file_lock *lock) {
    if (lock->held) {
        /* Readers beside this one leave the file to the last. */
        if (flock(lock->descriptor, LOCK_EX | LOCK_NB) == 0) unlink(lock->file);
        close(lock->descriptor);
    }
    if (lock->made_folder) rmdir(lock->folder);
    free(lock->folder);
    free(lock->file);
    *lock = (struct file_lock){0};
}
