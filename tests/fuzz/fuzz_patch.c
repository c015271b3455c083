/* A patch's reader, on files whose seal fits what is in them: a broken seal alone would be all that
 * is found. What is read is undone, written and read again. */

#include "patch/patch_file.h"
#include "tensor/safetensors.h"
#include "tests/fuzz/input.h"

#define MOST_TENSORS 64

static char folder[] = "/tmp/mneme-fuzz-patch-XXXXXX";

static void remove_folder(void) {
    unlink(path_in(folder, "sealed").text);
    unlink(path_in(folder, "again").text);
    rmdir(folder);
}

/* The tensors and metadata of the input with a seal of their own; false: it is no such file. */
static bool seal(const char *path, const char *sealed) {
    struct safetensors file;
    struct tensor tensors[MOST_TENSORS];
    struct safetensors_metadata metadata[SAFETENSORS_MAX_SEALED];
    mneme_error error;
    size_t n_metadata = 0;
    if (safetensors_open(&file, path, &error) != MNEME_OK) return false;
    size_t n = file.n < MOST_TENSORS ? file.n : MOST_TENSORS;
    for (size_t i = 0; i < n; i++) {
        void *bytes = malloc(file.entries[i].bytes + 1);
        if (bytes == NULL) abort();
        input_check(safetensors_read_bytes(&file, &file.entries[i], 0, bytes, file.entries[i].bytes,
                                           &error),
                    &error);
        tensors[i] = file.entries[i].tensor;
        tensors[i].data = bytes;
    }
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(file.header, "__metadata__"), key, value) {
        if (n_metadata == SAFETENSORS_MAX_SEALED || strcmp(key, SAFETENSORS_SEAL) == 0) continue;
        metadata[n_metadata++] = (struct safetensors_metadata){key, json_string_value(value)};
    }
    mneme_status status =
        safetensors_write_sealed(sealed, tensors, n, metadata, n_metadata, &error);
    for (size_t i = 0; i < n; i++) free((void *)(uintptr_t)tensors[i].data);
    safetensors_close(&file);
    return status == MNEME_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static bool is_open;
    char path[64];
    struct patch patch;
    mneme_error error = {0};
    if (!is_open) {
        if (mkdtemp(folder) == NULL) abort();
        atexit(remove_folder);
        is_open = true;
    }
    const struct path sealed = path_in(folder, "sealed"), again = path_in(folder, "again");
    int descriptor = input_open(bytes, length, path);
    if (seal(path, sealed.text)) {
        mneme_status status = patch_load(&patch, sealed.text, &error);
        input_check(status, &error);
        if (status == MNEME_OK) {
            patch_undo(&patch, (patch.n_facts + 1) / 2);
            if (patch_save(&patch, again.text, &error) != MNEME_OK) abort();
            patch_close(&patch);
            if (patch_load(&patch, again.text, &error) != MNEME_OK) abort();
            patch_close(&patch);
        }
    }
    close(descriptor);
    return 0;
}
