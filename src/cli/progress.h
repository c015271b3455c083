#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>

#include <mneme/run.h>

/* Progress on standard error: stage, share done, time left, rate, loss. On a terminal it is a bar
 * that is redrawn ten times a second, cut at the terminal's width; elsewhere a line every minute,
 * or every so many whole seconds as the environment's MNEME_PROGRESS says (0: none). Warnings are
 * always told. */
struct progress_bar {
    bool redraws;   /* standard error is a terminal */
    double pause;   /* seconds between two drawings; 0: nothing is drawn */
    char stage[64]; /* that the bar stands at */
    char unit[32];  /* that it counts there: one stage may count several in turn */
    size_t first;   /* what had been done when this count began here */
    size_t done;    /* when the bar was told last */
    double start;   /* seconds */
    double drawn;   /* when the bar was drawn last */
};

void progress_bar_open(struct progress_bar *bar);
/* A mneme_progress_callback; user is the bar. */
void progress_bar_show(const mneme_progress *progress, void *user);
/* Ends the line, which stays. */
void progress_bar_close(struct progress_bar *bar);

#endif
