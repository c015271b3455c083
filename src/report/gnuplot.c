#include "report/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/report_file.h"

static void run(const char *folder, const char *name) {
    const char *const arguments[] = {"gnuplot", name, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int state;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&child, "gnuplot", &actions, NULL, (char *const *)arguments, environ) == 0) {
        waitpid(child, &state, 0);
    }
    posix_spawn_file_actions_destroy(&actions);
}

mneme_status gnuplot_draw(const char *folder, const char *name, struct text *script,
                          mneme_error *error) {
    TRY(report_file_text(folder, name, text_take(script), error));
    run(folder, name);
    return MNEME_OK;
}

void gnuplot_add_quoted(struct text *script, const char *bytes) {
    text_add(script, "'");
    for (; *bytes != '\0'; bytes++) text_add(script, *bytes == '\'' ? "''" : "%c", *bytes);
    text_add(script, "'");
}

void gnuplot_add_terminals(struct text *script, const char *name, int width, int height) {
    text_add(script,
             "do for [format in 'svg png'] {\n"
             "  if (format eq 'svg') { set terminal svg noenhanced size %d,%d font 'sans,13' }\n"
             "  if (format eq 'png') { set terminal pngcairo noenhanced size %d,%d font "
             "'sans,14' }\n"
             "  set output '%s.'.format\n",
             width, height, width * 3 / 2, height * 3 / 2, name);
}
