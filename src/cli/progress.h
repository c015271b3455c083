#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>

#include <mneme/run.h>

/* A progress bar on standard error: stage, share done, time left, rate, loss, at most ten times a
 * second and cut at the terminal's width. Nothing is shown when standard error is not a terminal.
 */
struct progress_bar {
    bool shown;     /* standard error is a terminal */
    char stage[64]; /* that the bar stands at */
    size_t first;   /* what had been done when the stage began here */
    double start;   /* seconds */
    double drawn;   /* when the bar was drawn last */
};

void progress_bar_open(struct progress_bar *bar);
/* A mneme_progress_callback; user is the bar. */
void progress_bar_show(const mneme_progress *progress, void *user);
/* Ends the line, which stays. */
void progress_bar_close(struct progress_bar *bar);

#endif
