#include "base/thread_count.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

#define MOST_THREADS 1024

static char chosen_reason[96] = "OpenMP's choice";

const char *thread_count_reason(void) {
    return chosen_reason;
}

/* The first line of a file, without its end; false where there is none. */
static bool read_line(struct path path, char *line, int size) {
    FILE *stream = fopen(path.text, "re");
    if (stream == NULL) return false;
    bool there = fgets(line, size, stream) != NULL;
    fclose(stream);
    if (there) line[strcspn(line, "\n")] = '\0';
    return there;
}

/* Version 2: "150000 100000", or "max 100000". */
static double quota_2(const char *folder) {
    char line[64];
    if (!read_line(path_in(folder, "cpu.max"), line, sizeof line)) return 0.0;
    char *rest;
    long long quota = strtoll(line, &rest, 10), period = strtoll(rest, NULL, 10);
    if (quota <= 0 || period <= 0) return 0.0; /* "max" is no number, thus 0 */
    return (double)quota / (double)period;
}

/* Version 1: -1 for none. */
static double quota_1(const char *folder) {
    char quota[32], period[32];
    if (!read_line(path_in(folder, "cpu.cfs_quota_us"), quota, sizeof quota) ||
        !read_line(path_in(folder, "cpu.cfs_period_us"), period, sizeof period)) {
        return 0.0;
    }
    long long q = strtoll(quota, NULL, 10), p = strtoll(period, NULL, 10);
    return q <= 0 || p <= 0 ? 0.0 : (double)q / (double)p;
}

static double smaller_quota(double a, double b) {
    return a == 0.0 || (b != 0.0 && b < a) ? b : a;
}

/* The least quota of a group and those above it. In a container the path may be one of the host's:
 * what is not there is passed over on the way up. */
static double least_quota(const char *hierarchy, const char *group,
                          double (*quota)(const char *folder)) {
    struct path path = path_in(hierarchy, "%s", group + strspn(group, "/"));
    double least = 0.0;
    for (;;) {
        least = smaller_quota(least, quota(path.text));
        char *slash = strrchr(path.text, '/');
        if (slash == NULL || strlen(path.text) <= strlen(hierarchy)) return least;
        *slash = '\0';
    }
}

/* Whether a list like "cpu,cpuacct" names the controller. */
static bool has_cpu(const char *controllers) {
    for (const char *word = controllers; *word != '\0'; word += *word == ',') {
        size_t length = strcspn(word, ",");
        if (length == 3 && strncmp(word, "cpu", 3) == 0) return true;
        word += length;
    }
    return false;
}

/* A line of /proc/self/cgroup, "number:controllers:/group"; version 2 has no controllers. */
static double line_quota(const char *hierarchies, char *line) {
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL) return 0.0;
    *controllers++ = *group++ = '\0';
    if (controllers[0] == '\0') {
        struct path hybrid = path_in(hierarchies, "unified");
        return smaller_quota(least_quota(hierarchies, group, quota_2),
                             least_quota(hybrid.text, group, quota_2));
    }
    if (!has_cpu(controllers)) return 0.0;
    struct path plain = path_in(hierarchies, "cpu"),
                joint = path_in(hierarchies, "%s", controllers);
    return smaller_quota(least_quota(plain.text, group, quota_1),
                         least_quota(joint.text, group, quota_1));
}

double thread_count_quota(const char *root) {
    struct path groups = path_in(root, "proc/self/cgroup");
    struct path hierarchies = path_in(root, "sys/fs/cgroup");
    double least = 0.0;
    char line[4096];
    FILE *stream = fopen(groups.text, "re");
    if (stream == NULL) return 0.0;
    while (fgets(line, sizeof line, stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        least = smaller_quota(least, line_quota(hierarchies.text, line));
    }
    fclose(stream);
    return least;
}

/* A list of numbers from 1 to `most`; the first. */
static bool parse_list(const char *text, size_t most, size_t *first) {
    *first = 0;
    for (;;) {
        char *end;
        text += strspn(text, " \t");
        if (*text < '0' || *text > '9') return false;
        errno = 0;
        unsigned long long number = strtoull(text, &end, 10);
        if (errno != 0 || number < 1 || number > most) return false;
        if (*first == 0) *first = (size_t)number;
        text = end + strspn(end, " \t");
        if (*text == '\0') return true;
        if (*text++ != ',') return false;
    }
}

mneme_status thread_count_find(const char *asked, size_t cpus, double quota,
                               struct thread_count *count, mneme_error *error) {
    const size_t most = cpus > MOST_THREADS ? cpus : MOST_THREADS;
    *count = (struct thread_count){.threads = cpus};
    if (asked != NULL && asked[strspn(asked, " \t")] != '\0') {
        snprintf(count->reason, sizeof count->reason, "OMP_NUM_THREADS");
        if (parse_list(asked, most, &count->threads)) return MNEME_OK;
        return error_set(error, MNEME_BAD_INPUT,
                         "OMP_NUM_THREADS=%.32s: is no number of threads from 1 to %zu", asked,
                         most);
    }
    double whole = ceil(quota);
    if (quota > 0.0 && whole < (double)cpus) {
        count->threads = (size_t)whole;
        snprintf(count->reason, sizeof count->reason,
                 "the control group's quota of %.3g CPUs; %zu are there", quota, cpus);
    } else {
        snprintf(count->reason, sizeof count->reason, "the CPUs that this process may use");
    }
    return MNEME_OK;
}

mneme_status thread_count_choose(mneme_error *error) {
    struct thread_count count;
    size_t limit = (size_t)omp_get_thread_limit();
    TRY(thread_count_find(getenv("OMP_NUM_THREADS"), (size_t)omp_get_num_procs(),
                          thread_count_quota("/"), &count, error));
    if (limit < count.threads) {
        count = (struct thread_count){.threads = limit, .reason = "OMP_THREAD_LIMIT"};
    }
    omp_set_dynamic(0);
    omp_set_num_threads((int)count.threads);
    memcpy(chosen_reason, count.reason, sizeof chosen_reason);
    return thread_count_check(error);
}

/* A thread that waits until all are there. */
static void *wait_for_all(void *user) {
    pthread_mutex_t *all_there = user;
    pthread_mutex_lock(all_there);
    pthread_mutex_unlock(all_there);
    return NULL;
}

/* Starts n threads beside this one and ends them; returns 0, or why not all could be started. */
static int try_threads(size_t n, pthread_t *threads, size_t *started) {
    pthread_mutex_t all_there = PTHREAD_MUTEX_INITIALIZER;
    int problem = 0;
    pthread_mutex_lock(&all_there);
    for (*started = 0; *started < n; ++*started) {
        problem = pthread_create(&threads[*started], NULL, wait_for_all, &all_there);
        if (problem != 0) break;
    }
    pthread_mutex_unlock(&all_there);
    for (size_t i = 0; i < *started; i++) pthread_join(threads[i], NULL);
    return problem;
}

mneme_status thread_count_check(mneme_error *error) {
    static atomic_size_t could_start = 1;
    size_t n = (size_t)omp_get_max_threads(), started;
    size_t cpus = (size_t)omp_get_num_procs(), most = cpus > MOST_THREADS ? cpus : MOST_THREADS;
    if (n <= could_start) return MNEME_OK;
    if (n > most) {
        return error_set(error, MNEME_BAD_INPUT,
                         "OMP_NUM_THREADS: %zu OpenMP threads, at most %zu are possible", n, most);
    }
    pthread_t *threads = calloc(n, sizeof *threads);
    if (threads == NULL) return error_set_memory(error, "threads");
    int problem = try_threads(n - 1, threads, &started);
    free(threads);
    if (problem == 0) {
        could_start = n;
        return MNEME_OK;
    }
    return error_set(error, MNEME_FAILED,
                     "%zu threads: the system starts %zu: %s (OMP_NUM_THREADS chooses fewer)", n,
                     started + 1, strerror(problem));
}
