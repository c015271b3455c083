#ifndef BASE_FILE_LOCK_H
#define BASE_FILE_LOCK_H

#include <stdbool.h>

#include "base/error.h"

/* One process at a time in a folder. The kernel frees the lock when its process ends, however it
 * does, and a file that is left behind by kill -9 locks nothing. Over NFS Linux passes the lock on
 * to the server; a file system without locks has none, and nothing is refused there. */
struct file_lock {
    bool held;
    bool made_folder;
    int descriptor;
    char *folder, *file;
};

/* Takes the lock FOLDER/NAME for writing in the folder, which is made if need be, and writes this
 * process's number into the file. MNEME_FAILED when another process has it: "FOLDER: process 123 is
 * at work there". */
mneme_status file_lock_take(struct file_lock *lock, const char *folder, const char *name,
                            mneme_error *error);
/* For reading in the folder: makes and changes nothing there, and many processes can do so at a
 * time. MNEME_FAILED as above. */
mneme_status file_lock_share(struct file_lock *lock, const char *folder, const char *name,
                             mneme_error *error);
/* Removes the file, and the folder if it was made here and nothing came into it. Does nothing to
 * {0}. */
void file_lock_release(struct file_lock *lock);

#endif
