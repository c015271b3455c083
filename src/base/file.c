#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reports errno of a failed open: the path is wrong, or the machine would not. */
static mneme_status open_error(mneme_error *error, const char *path, const char *action) {
    mneme_status status = error_set_errno(error, path, action);
    switch (errno) {
        case ENOENT:
        case ENOTDIR:
        case EISDIR:
        case ELOOP:
        case ENAMETOOLONG:
        case ENXIO:
            status = MNEME_BAD_INPUT;
            break;
        default:
            break;
    }
    if (error != NULL) error->status = status;
    return status;
}

/* Opens for reading; directories are refused. */
static mneme_status open_for_reading(const char *path, int *descriptor, struct stat *facts,
                                     mneme_error *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != EACCES) return open_error(error, path, "cannot open");
        return error_set(error, MNEME_BAD_INPUT, "%s: cannot open: permission denied", path);
    }
    mneme_status status = MNEME_OK;
    if (fstat(fd, facts) != 0) {
        status = error_set_errno(error, path, "cannot open");
    } else if (S_ISDIR(facts->st_mode)) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: is a directory, not a file", path);
    }
    if (status != MNEME_OK) {
        close(fd);
        return status;
    }
    *descriptor = fd;
    return MNEME_OK;
}

static mneme_status too_large(mneme_error *error, const char *path, size_t max_bytes) {
    return error_set(error, MNEME_BAD_INPUT, "%s: larger than %zu bytes", path, max_bytes);
}

/* Reads to the end into *buffer, which has room for *capacity bytes and grows. */
static mneme_status read_to_end(int fd, const char *path, size_t max_bytes, char **buffer,
                                size_t capacity, size_t *length, mneme_error *error) {
    size_t used = 0;
    for (;;) {
        if (used == capacity) {
            size_t grown = capacity > SIZE_MAX / 2 ? SIZE_MAX : capacity * 2;
            char *moved = realloc(*buffer, grown);
            if (moved == NULL) return error_set_memory(error, path);
            *buffer = moved;
            capacity = grown;
        }
        ssize_t got = read(fd, *buffer + used, capacity - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(error, path, "cannot read");
        if (got == 0) break;
        used += (size_t)got;
        if (used > max_bytes) return too_large(error, path, max_bytes);
    }
    /* The loop leaves room for at least one byte more. */
    (*buffer)[used] = '\0';
    *length = used;
    return MNEME_OK;
}

/* Reads the open file into *bytes, which is the caller's whether that worked or not. */
static mneme_status read_open(int fd, const struct stat *facts, const char *path, size_t max_bytes,
                              char **bytes, size_t *length, mneme_error *error) {
    size_t capacity = 4096;
    if (S_ISREG(facts->st_mode)) {
        if ((uint64_t)facts->st_size > max_bytes) return too_large(error, path, max_bytes);
        if (facts->st_size > 0) capacity = (size_t)facts->st_size + 1;
    }
    *bytes = malloc(capacity);
    if (*bytes == NULL) return error_set_memory(error, path);
    return read_to_end(fd, path, max_bytes, bytes, capacity, length, error);
}

mneme_status file_read(const char *path, size_t max_bytes, char **bytes, size_t *length,
                       mneme_error *error) {
    *bytes = NULL;
    *length = 0;
    int fd = -1;
    struct stat facts;
    TRY(open_for_reading(path, &fd, &facts, error));
    mneme_status status = read_open(fd, &facts, path, max_bytes, bytes, length, error);
    close(fd);
    if (status == MNEME_OK) return MNEME_OK;
    free(*bytes);
    *bytes = NULL;
    return status;
}

/* Marks of UTF-16 and UTF-32, or the zeros of a first character that takes one byte in UTF-8. */
bool file_is_wide_text(const char *bytes, size_t length) {
    if (length < 2) return false;
    if (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0) return true;
    return (bytes[0] == '\0') != (bytes[1] == '\0') ||
           (length >= 4 && bytes[0] == '\0' && bytes[1] == '\0' && bytes[3] != '\0');
}

mneme_status file_read_text(const char *path, size_t max_bytes, char **bytes, size_t *length,
                            mneme_error *error) {
    TRY(file_read(path, max_bytes, bytes, length, error));
    if (file_is_wide_text(*bytes, *length)) {
        free(*bytes);
        *bytes = NULL;
        *length = 0;
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: is UTF-16 or UTF-32 text; it must be saved as UTF-8", path);
    }
    if (*length >= 3 && memcmp(*bytes, "\xef\xbb\xbf", 3) == 0) {
        *length -= 3;
        memmove(*bytes, *bytes + 3, *length + 1);
    }
    return MNEME_OK;
}

mneme_status file_write_atomic(const char *path, const void *bytes, size_t length,
                               mneme_error *error) {
    struct file_writer writer = {0};
    mneme_status status = file_writer_open(&writer, path, error);
    THEN(file_writer_write(&writer, bytes, length, error));
    if (status == MNEME_OK) return file_writer_finish(&writer, error);
    file_writer_abandon(&writer);
    return status;
}

/* A rename would replace a device as readily as a file, so look first. */
static mneme_status check_target(const char *path, mneme_error *error) {
    struct stat facts;
    size_t length = strlen(path);
    if (length == 0) return error_set(error, MNEME_BAD_INPUT, "no name for the file to write");
    if (path[length - 1] == '/' || (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))) {
        return error_set(error, MNEME_BAD_INPUT, "%s: is a directory, not a file", path);
    }
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: not a regular file", path);
    }
    return MNEME_OK;
}

static struct path partial_of(const char *path) {
    return path_in("", "%s.partial", path);
}

/* Opens the partial file, made anew, so that a planted link is not followed. */
static FILE *open_partial(const char *path) {
    struct path partial = partial_of(path);
    unlink(partial.text);
    int fd = open(partial.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && stream == NULL) {
        close(fd);
        unlink(partial.text);
    }
    return stream;
}

mneme_status file_writer_open(struct file_writer *writer, const char *path, mneme_error *error) {
    *writer = (struct file_writer){0};
    TRY(check_target(path, error));
    FILE *stream = open_partial(path);
    if (stream == NULL) return open_error(error, path, "cannot write");
    *writer = (struct file_writer){stream, strdup(path)};
    if (writer->path != NULL) return MNEME_OK;
    fclose(stream);
    unlink(partial_of(path).text);
    writer->stream = NULL;
    return error_set_memory(error, path);
}

mneme_status file_writer_write(struct file_writer *writer, const void *bytes, size_t length,
                               mneme_error *error) {
    if (length == 0 || fwrite(bytes, 1, length, writer->stream) == length) return MNEME_OK;
    return error_set_errno(error, writer->path, "cannot write");
}

/* Makes the rename durable. File systems that cannot sync a folder say EINVAL. */
static mneme_status sync_folder(const char *path, mneme_error *error) {
    struct path folder = path_parent(path);
    mneme_status status = MNEME_OK;
    int fd = open(folder.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return MNEME_OK;
    if (fsync(fd) != 0 && errno != EINVAL) {
        status = error_set_errno(error, folder.text, "cannot sync the folder");
    }
    close(fd);
    return status;
}

mneme_status file_writer_finish(struct file_writer *writer, mneme_error *error) {
    FILE *stream = writer->stream;
    writer->stream = NULL;
    errno = EIO; /* an error that the stream met earlier has no errno any more */
    bool written = !ferror(stream) && fflush(stream) == 0 && fsync(fileno(stream)) == 0;
    int cause = errno;
    if (fclose(stream) != 0 && written) {
        written = false;
        cause = errno;
    }
    errno = cause;
    mneme_status status;
    if (written && rename(partial_of(writer->path).text, writer->path) == 0) {
        status = sync_folder(writer->path, error);
    } else {
        status = error_set_errno(error, writer->path, "cannot write");
        unlink(partial_of(writer->path).text);
    }
    free(writer->path);
    writer->path = NULL;
    return status;
}

void file_writer_abandon(struct file_writer *writer) {
    if (writer->stream == NULL) return;
    fclose(writer->stream);
    unlink(partial_of(writer->path).text);
    free(writer->path);
    *writer = (struct file_writer){0};
}

mneme_status file_reader_open(struct file_reader *reader, const char *path, mneme_error *error) {
    *reader = (struct file_reader){.descriptor = -1};
    struct stat facts;
    int fd = -1;
    TRY(open_for_reading(path, &fd, &facts, error));
    if (!S_ISREG(facts.st_mode)) {
        close(fd);
        return error_set(error, MNEME_BAD_INPUT, "%s: not a regular file", path);
    }
    reader->path = strdup(path);
    if (reader->path == NULL) {
        close(fd);
        return error_set_memory(error, path);
    }
    reader->descriptor = fd;
    reader->size = (uint64_t)facts.st_size;
    return MNEME_OK;
}

mneme_status file_reader_read(const struct file_reader *reader, uint64_t offset, void *bytes,
                              size_t length, mneme_error *error) {
    unsigned char *next = bytes;
    while (length > 0) {
        ssize_t got = pread(reader->descriptor, next, length, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(error, reader->path, "cannot read");
        if (got == 0) {
            return error_set(error, MNEME_BAD_INPUT, "%s: ends at byte %llu, cut short",
                             reader->path, (unsigned long long)offset);
        }
        next += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return MNEME_OK;
}

void file_reader_close(struct file_reader *reader) {
    if (reader->path == NULL) return;
    close(reader->descriptor);
    free(reader->path);
    *reader = (struct file_reader){.descriptor = -1};
}

bool file_exists(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0;
}

bool file_is_directory(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}
