#include "budget/machine_room.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"

/* The number after `key` in a file of lines "key number", or in its first line for ""; SIZE_MAX
 * where there is none. */
static size_t number_in(struct path path, const char *key) {
    char line[256];
    size_t found = SIZE_MAX;
    FILE *stream = fopen(path.text, "re");
    if (stream == NULL) return SIZE_MAX;
    while (found == SIZE_MAX && fgets(line, sizeof line, stream) != NULL) {
        const char *at = line + strlen(key);
        char *end;
        if (strncmp(line, key, strlen(key)) != 0) continue;
        unsigned long long value = strtoull(at, &end, 10);
        if (end > at) found = (size_t)value;
        if (key[0] == '\0') break;
    }
    fclose(stream);
    return found;
}

static size_t pages(size_t n) {
    return n * (size_t)sysconf(_SC_PAGESIZE);
}

/* The process's own size in pages: all of its address space, and what is in memory. */
static void read_own(const char *root, size_t *space, size_t *resident) {
    char line[256] = "", *rest;
    FILE *stream = fopen(path_in(root, "proc/self/statm").text, "re");
    if (stream != NULL && fgets(line, sizeof line, stream) == NULL) line[0] = '\0';
    if (stream != NULL) fclose(stream);
    *space = pages((size_t)strtoull(line, &rest, 10));
    *resident = pages((size_t)strtoull(rest, NULL, 10));
}

/* What a group and those above it leave this process, with what it has. */
static size_t group_room(const char *hierarchy, const char *group, const char *limit,
                         const char *used, size_t resident) {
    struct path path = path_in(hierarchy, "%s", group + strspn(group, "/"));
    size_t least = SIZE_MAX;
    for (;;) {
        size_t most = number_in(path_in(path.text, "%s", limit), "");
        size_t now = number_in(path_in(path.text, "%s", used), "");
        size_t files = number_in(path_in(path.text, "memory.stat"), "inactive_file ");
        if (most < LONG_MAX / 2 && now != SIZE_MAX) {
            if (files != SIZE_MAX && files < now) now -= files; /* these give way */
            size_t others = now > resident ? now - resident : 0;
            size_t room = most > others ? most - others : 0;
            if (room < least) least = room;
        }
        char *slash = strrchr(path.text, '/');
        if (slash == NULL || strlen(path.text) <= strlen(hierarchy)) return least;
        *slash = '\0';
    }
}

/* The control groups of /proc/self/cgroup, lines "number:controllers:/group". */
static size_t groups_room(const char *root, size_t resident) {
    const struct path hierarchies = path_in(root, "sys/fs/cgroup");
    const struct path first = path_in(hierarchies.text, "memory");
    size_t least = SIZE_MAX;
    char line[4096];
    FILE *stream = fopen(path_in(root, "proc/self/cgroup").text, "re");
    if (stream == NULL) return SIZE_MAX;
    while (fgets(line, sizeof line, stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (group == NULL) continue;
        *controllers++ = *group++ = '\0';
        size_t room = SIZE_MAX;
        if (controllers[0] == '\0') {
            room = group_room(hierarchies.text, group, "memory.max", "memory.current", resident);
        } else if (strcmp(controllers, "memory") == 0) {
            room = group_room(first.text, group, "memory.limit_in_bytes", "memory.usage_in_bytes",
                              resident);
        }
        if (room < least) least = room;
    }
    fclose(stream);
    return least;
}

static void bound(struct machine_room *room, size_t memory, const char *by) {
    if (memory >= room->memory) return;
    room->memory = memory;
    room->bound = by;
}

/* Of the file system that has the folder, or the nearest one above that is there. */
static size_t disk_room(const char *folder) {
    struct path path = path_in("", "%s", folder);
    struct statvfs found;
    while (statvfs(path.text, &found) != 0) {
        char *slash = strrchr(path.text, '/');
        if (slash == NULL) {
            if (strcmp(path.text, ".") == 0) return SIZE_MAX;
            path = path_in("", ".");
        } else if (slash == path.text) {
            return SIZE_MAX;
        } else {
            *slash = '\0';
        }
    }
    return (size_t)found.f_bavail * (size_t)found.f_frsize;
}

struct machine_room machine_room(const char *root, const char *folder) {
    struct machine_room room = {.memory = SIZE_MAX, .bound = "no limit", .disk = SIZE_MAX};
    size_t space, resident;
    struct rlimit limit;
    read_own(root, &space, &resident);
    room.process = resident;
    const size_t free_kilobytes = number_in(path_in(root, "proc/meminfo"), "MemAvailable:");
    if (free_kilobytes != SIZE_MAX) {
        bound(&room, free_kilobytes * 1024 + resident, "free memory");
    }
    bound(&room, groups_room(root, resident), "the control group's limit");
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        const size_t most = (size_t)limit.rlim_cur, others = space - resident;
        bound(&room, most > others ? most - others : 0, "the limit of address space (ulimit -v)");
    }
    if (folder != NULL) room.disk = disk_room(folder);
    return room;
}
