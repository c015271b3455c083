#include "cli/diff_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mneme/verify.h>

#include "cli/progress.h"

static mneme_status fail(mneme_error *error, const char *what, const char *cause) {
    error->status = MNEME_FAILED;
    snprintf(error->message, sizeof error->message, "%.900s: %.100s", what, cause);
    return MNEME_FAILED;
}

/* ENGINE trace DIRECTORY --stage STAGE --step STEP --out FILE; its complaints go to our standard
 * error. */
static mneme_status trace_by_engine(const struct diff_replay *replay, const struct diff_side *side,
                                    size_t step, const char *file, mneme_error *error) {
    char number[32];
    const char *arguments[10 + 2 * MAX_REPEATS] = {side->engine, "trace",       side->directory,
                                                   "--stage",    replay->stage, "--step",
                                                   number,       "--out",       file};
    size_t n = 9;
    snprintf(number, sizeof number, "%zu", step);
    for (size_t i = 0; i < replay->overrides->n; i++) {
        arguments[n++] = "--set";
        arguments[n++] = replay->overrides->list[i];
    }
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status, problem = posix_spawn_file_actions_init(&actions);
    if (problem == 0) {
        problem =
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    }
    if (problem == 0) {
        problem =
            posix_spawnp(&child, side->engine, &actions, NULL, (char *const *)arguments, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (problem != 0) return fail(error, side->engine, strerror(problem));
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return fail(error, side->engine, strerror(errno));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return MNEME_OK;
    return fail(error, side->engine, "its trace failed");
}

static mneme_status trace(const struct diff_replay *replay, struct diff_side *side, size_t step,
                          const char *file, mneme_error *error) {
    if (side->engine != NULL) return trace_by_engine(replay, side, step, file, error);
    struct progress_bar bar;
    mneme_trace_result result;
    progress_bar_open(&bar);
    mneme_trace_options options = {.directory = side->directory,
                                   .stage = replay->stage,
                                   .step = step,
                                   .output = file,
                                   .overrides = replay->overrides->list,
                                   .n_overrides = replay->overrides->n,
                                   .progress = progress_bar_show,
                                   .user = &bar};
    mneme_status status = mneme_trace(&options, &result, error);
    progress_bar_close(&bar);
    if (status == MNEME_OK && result.different_step != 0) {
        side->different_step = result.different_step;
    }
    return status;
}

/* Traces of one step of both sides, compared; the files are gone afterwards. */
static mneme_status compare_step(struct diff_replay *replay, const char *folder, size_t step,
                                 mneme_tensors_difference *tensors, mneme_error *error) {
    char a[4096], b[4096];
    snprintf(a, sizeof a, "%s/a.safetensors", folder);
    snprintf(b, sizeof b, "%s/b.safetensors", folder);
    mneme_status status = trace(replay, &replay->a, step, a, error);
    if (status == MNEME_OK) status = trace(replay, &replay->b, step, b, error);
    if (status == MNEME_OK) status = mneme_diff_tensors(a, b, tensors, error);
    unlink(a);
    unlink(b);
    return status;
}

/* Halves (equal, different] down to one step, the step before `different` first: it is nearly
 * always equal. */
static mneme_status search(struct diff_replay *replay, const char *folder, size_t equal,
                           size_t different, mneme_error *error) {
    mneme_status status = compare_step(replay, folder, different, &replay->tensors, error);
    if (status != MNEME_OK || replay->tensors.n_different == 0) return status;
    replay->step = different;
    for (size_t probe = different - 1; replay->step - equal > 1;
         probe = equal + (replay->step - equal) / 2) {
        mneme_tensors_difference tensors;
        status = compare_step(replay, folder, probe, &tensors, error);
        if (status != MNEME_OK) return status;
        if (tensors.n_different == 0) {
            equal = probe;
            mneme_tensors_difference_free(&tensors);
        } else {
            mneme_tensors_difference_free(&replay->tensors);
            replay->tensors = tensors;
            replay->step = probe;
        }
    }
    return MNEME_OK;
}

mneme_status diff_replay_run(struct diff_replay *replay, size_t common, size_t step,
                             mneme_error *error) {
    const char *temporary = getenv("TMPDIR");
    char folder[4000];
    snprintf(folder, sizeof folder, "%s/mneme-diff-XXXXXX",
             temporary == NULL || temporary[0] == '\0' ? "/tmp" : temporary);
    if (mkdtemp(folder) == NULL) return fail(error, folder, strerror(errno));
    mneme_status status = search(replay, folder, common, step, error);
    rmdir(folder);
    return status;
}
