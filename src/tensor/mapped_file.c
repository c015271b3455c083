#include "tensor/mapped_file.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

mneme_status mapped_file_open(struct mapped_file *file, const char *path, mneme_error *error) {
    struct file_reader reader;
    *file = (struct mapped_file){0};
    TRY(file_reader_open(&reader, path, error));
    mneme_status status = MNEME_OK;
    void *bytes = "";
    if (reader.size > SIZE_MAX / 2) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: too large", path);
    } else if (reader.size > 0) {
        bytes = mmap(NULL, (size_t)reader.size, PROT_READ, MAP_PRIVATE, reader.descriptor, 0);
    }
    if (bytes == MAP_FAILED) status = error_set_errno(error, path, "cannot map");
    if (status == MNEME_OK) *file = (struct mapped_file){bytes, (size_t)reader.size};
    file_reader_close(&reader);
    return status;
}

void mapped_file_close(struct mapped_file *file) {
    if (file->length > 0) munmap((void *)(uintptr_t)file->bytes, file->length);
    *file = (struct mapped_file){0};
}

void mapped_file_forget(const void *bytes, size_t length) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)bytes + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)bytes + length) / page * page;
    if (end > first) madvise((void *)first, end - first, MADV_DONTNEED);
}
