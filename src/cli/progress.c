#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 24
#define REDRAW_SECONDS 0.1
#define LINE_SECONDS 60.0 /* where lines stay */
#define CLEAR_LINE "\r\033[K"

/* One line of the terminal; what does not fit is left out. */
struct text_line {
    size_t length;
    char bytes[512];
};

static void add(struct text_line *line, const char *format, ...) MNEME_PRINTF(2, 3);

static void add(struct text_line *line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof line->bytes - line->length;
    int length = vsnprintf(line->bytes + line->length, room, format, arguments);
    va_end(arguments);
    if (length > 0) line->length += (size_t)length < room ? (size_t)length : room - 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* MNEME_PROGRESS as seconds; 60 when it is unset or none. */
static double seconds_between_lines(void) {
    const char *value = getenv("MNEME_PROGRESS");
    if (value == NULL || value[0] < '0' || value[0] > '9') return LINE_SECONDS;
    return (double)strtoul(value, NULL, 10);
}

void progress_bar_open(struct progress_bar *bar) {
    *bar = (struct progress_bar){.redraws = isatty(STDERR_FILENO) == 1, .drawn = now()};
    bar->pause = bar->redraws ? REDRAW_SECONDS : seconds_between_lines();
}

void progress_bar_close(struct progress_bar *bar) {
    if (bar->redraws && bar->stage[0] != '\0') fputc('\n', stderr);
    bar->stage[0] = '\0';
}

/* Whether this goes on with the count that the bar stands at. */
static bool same_count(const struct progress_bar *bar, const mneme_progress *progress) {
    return strncmp(bar->stage, progress->stage, sizeof bar->stage - 1) == 0 &&
           strncmp(bar->unit, progress->unit, sizeof bar->unit - 1) == 0 &&
           progress->done >= bar->done;
}

/* A new count leaves the old one's line in place, so that the terminal tells the run's story. */
static void begin_count(struct progress_bar *bar, const mneme_progress *progress) {
    if (bar->redraws && bar->stage[0] != '\0') fputc('\n', stderr);
    snprintf(bar->stage, sizeof bar->stage, "%s", progress->stage);
    snprintf(bar->unit, sizeof bar->unit, "%s", progress->unit);
    bar->first = progress->done > 0 ? progress->done - 1 : 0;
    bar->start = now();
    if (bar->redraws) bar->drawn = 0.0;
}

/* Columns that a line may fill without being wrapped, after which it could not be redrawn. */
static size_t line_width(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 79;
    return (size_t)size.ws_col - 1;
}

static void add_time(struct text_line *line, double seconds, const char *after) {
    unsigned long whole = seconds < 1e6 ? (unsigned long)seconds : 999999;
    if (whole >= 3600) {
        add(line, "  %lu:%02lu:%02lu%s", whole / 3600, whole / 60 % 60, whole % 60, after);
    } else {
        add(line, "  %lu:%02lu%s", whole / 60, whole % 60, after);
    }
}

static void draw(const struct progress_bar *bar, const mneme_progress *progress, double seconds) {
    struct text_line line = {.length = 0};
    char cells[WIDTH + 1];
    size_t total = progress->total > 0 ? progress->total : 1;
    size_t done = progress->done < total ? progress->done : total;
    size_t filled = done * WIDTH / total;
    for (size_t i = 0; i < WIDTH; i++) cells[i] = i < filled ? '#' : '.';
    cells[WIDTH] = '\0';
    double rate = seconds > 0.0 ? (double)(progress->done - bar->first) / seconds : 0.0;
    add(&line, "%-16s [%s] %zu/%zu %s", bar->stage, cells, progress->done, progress->total,
        progress->unit);
    if (done == total) {
        add_time(&line, seconds, "");
    } else if (rate > 0.0) {
        add_time(&line, (double)(total - done) / rate, " left");
    }
    add(&line, "  %.1f/s", rate);
    if (progress->has_loss) add(&line, "  loss %.4f", (double)progress->loss);
    if (progress->has_slots) {
        add(&line, "  slots %zu (%.0f even), %.0f %% unread", progress->slots,
            (double)progress->slot_perplexity, 100.0 * (double)progress->never_read);
    }
    if (progress->tokens > 0 && seconds > 0.0) {
        add(&line, "  %.0f tokens/s", (double)progress->tokens / seconds);
    }
    if (bar->redraws) {
        fprintf(stderr, CLEAR_LINE "%.*s", (int)line_width(), line.bytes);
    } else {
        fprintf(stderr, "%s\n", line.bytes);
    }
    fflush(stderr);
}

/* On a line of its own; the bar is drawn anew below. */
static void show_warning(struct progress_bar *bar, const char *warning) {
    if (bar->redraws && bar->stage[0] != '\0') fputc('\n', stderr);
    fprintf(stderr, "mneme: %s\n", warning);
}

void progress_bar_show(const mneme_progress *progress, void *user) {
    struct progress_bar *bar = user;
    if (progress->warning != NULL) {
        show_warning(bar, progress->warning);
        return;
    }
    if (bar->pause <= 0.0) return;
    if (!same_count(bar, progress)) begin_count(bar, progress);
    bar->done = progress->done;
    double time = now();
    bool ends = bar->redraws && progress->done >= progress->total;
    if (!ends && time - bar->drawn < bar->pause) return;
    if (!bar->redraws && time - bar->start < REDRAW_SECONDS) return; /* no rate to tell yet */
    bar->drawn = time;
    draw(bar, progress, time - bar->start);
}
