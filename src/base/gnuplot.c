#include "base/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

bool gnuplot_run(const char *directory, const char *script) {
    const char *const arguments[] = {"gnuplot", script, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int state = 1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    bool started =
        posix_spawnp(&child, "gnuplot", &actions, NULL, (char *const *)arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    if (!started || waitpid(child, &state, 0) != child) return false;
    return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}
