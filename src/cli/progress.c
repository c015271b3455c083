#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 24
#define REDRAW_SECONDS 0.1
#define CLEAR_LINE "\r\033[K"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void progress_bar_open(struct progress_bar *bar) {
    *bar = (struct progress_bar){.shown = isatty(STDERR_FILENO) == 1};
}

void progress_bar_close(struct progress_bar *bar) {
    if (bar->shown && bar->stage[0] != '\0') fputs(CLEAR_LINE, stderr);
    bar->stage[0] = '\0';
}

/* A new stage leaves the old one's line in place, so that the terminal tells the run's story. */
static void begin_stage(struct progress_bar *bar, const mneme_progress *progress) {
    if (strncmp(bar->stage, progress->stage, sizeof bar->stage - 1) == 0) return;
    if (bar->stage[0] != '\0') fputc('\n', stderr);
    snprintf(bar->stage, sizeof bar->stage, "%s", progress->stage);
    bar->first = progress->done > 0 ? progress->done - 1 : 0;
    bar->start = now();
    bar->drawn = 0.0;
}

static void draw(const struct progress_bar *bar, const mneme_progress *progress, double seconds) {
    char cells[WIDTH + 1];
    size_t total = progress->total > 0 ? progress->total : 1;
    size_t filled = progress->done * WIDTH / total;
    for (size_t i = 0; i < WIDTH; i++) cells[i] = i < filled ? '#' : '.';
    cells[WIDTH] = '\0';
    double rate = seconds > 0.0 ? (double)(progress->done - bar->first) / seconds : 0.0;
    double left = rate > 0.0 ? (double)(progress->total - progress->done) / rate : 0.0;
    fprintf(stderr, CLEAR_LINE "%-16s [%s] %zu/%zu %s  %.1f/s", bar->stage, cells, progress->done,
            progress->total, progress->unit, rate);
    if (progress->tokens > 0 && seconds > 0.0) {
        fprintf(stderr, "  %.0f tokens/s", (double)progress->tokens / seconds);
    }
    if (progress->has_loss) fprintf(stderr, "  loss %.4f", (double)progress->loss);
    if (progress->done < progress->total) {
        fprintf(stderr, "  %d:%02d left", (int)(left / 60.0), (int)left % 60);
    } else {
        fprintf(stderr, "  %.1f s", seconds);
    }
    fflush(stderr);
}

void progress_bar_show(const mneme_progress *progress, void *user) {
    struct progress_bar *bar = user;
    if (!bar->shown) return;
    begin_stage(bar, progress);
    double time = now();
    if (progress->done < progress->total && time - bar->drawn < REDRAW_SECONDS) return;
    bar->drawn = time;
    draw(bar, progress, time - bar->start);
}
