/* Reads the header of a GGUF file: metadata and the list of tensors. */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/gguf.h"

#define DEFAULT_ALIGNMENT 32
#define MAX_NAME 65535
/* Lists within lists: the format allows them, no model has them. */
#define MAX_DEPTH 4

/* The value types of metadata by their numbers in the file. */
enum value_type {
    UINT8,
    INT8,
    UINT16,
    INT16,
    UINT32,
    INT32,
    FLOAT32,
    BOOL,
    STRING,
    ARRAY,
    UINT64,
    INT64,
    FLOAT64,
    N_VALUE_TYPES
};

/* Bytes of a value; of a string or list the least. */
static const size_t value_bytes[N_VALUE_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};

/* Reads the header from front to end through a buffer. */
struct cursor {
    const struct file_reader *file;
    uint64_t offset; /* of the next byte */
    uint64_t buffered_from;
    size_t buffered;
    unsigned char buffer[65536];
};

static mneme_status refuse(const struct cursor *c, const char *cause, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: byte %" PRIu64 ": %s", c->file->path, c->offset,
                     cause);
}

/* The next bytes of the file are `length` at least. */
static mneme_status need(const struct cursor *c, uint64_t length, mneme_error *error) {
    if (length <= c->file->size - c->offset) return MNEME_OK;
    return refuse(c, "the header asks for more than the file has", error);
}

static mneme_status fill(struct cursor *c, mneme_error *error) {
    uint64_t left = c->file->size - c->offset;
    c->buffered_from = c->offset;
    c->buffered = left < sizeof c->buffer ? (size_t)left : sizeof c->buffer;
    return file_reader_read(c->file, c->offset, c->buffer, c->buffered, error);
}

static mneme_status take(struct cursor *c, void *bytes, size_t length, mneme_error *error) {
    TRY(need(c, length, error));
    if (length > sizeof c->buffer) {
        TRY(file_reader_read(c->file, c->offset, bytes, length, error));
        c->offset += length;
        return MNEME_OK;
    }
    if (c->offset < c->buffered_from || c->offset + length > c->buffered_from + c->buffered) {
        TRY(fill(c, error));
    }
    memcpy(bytes, c->buffer + (c->offset - c->buffered_from), length);
    c->offset += length;
    return MNEME_OK;
}

/* Reads a string: its length in 8 bytes, then its bytes. *text is malloc'ed and has a NUL. */
static mneme_status take_string(struct cursor *c, uint64_t longest, char **text, size_t *length,
                                mneme_error *error) {
    uint64_t n;
    TRY(take(c, &n, sizeof n, error));
    if (n > longest) return refuse(c, "a name is too long", error);
    TRY(need(c, n, error));
    char *bytes = malloc((size_t)n + 1);
    if (bytes == NULL) return error_set_memory(error, c->file->path);
    mneme_status status = take(c, bytes, (size_t)n, error);
    bytes[status == MNEME_OK ? n : 0] = '\0';
    *text = bytes;
    *length = (size_t)n;
    if (status != MNEME_OK) {
        free(bytes);
        *text = NULL;
    }
    return status;
}

static mneme_status take_json_string(struct cursor *c, json_t **value, mneme_error *error) {
    char *text;
    size_t length;
    TRY(take_string(c, UINT64_MAX, &text, &length, error));
    *value = json_stringn(text, length);
    free(text);
    return *value == NULL ? refuse(c, "a string is not UTF-8", error) : MNEME_OK;
}

#define INTEGER(type)                            \
    do {                                         \
        type number;                             \
        memcpy(&number, bytes, sizeof number);   \
        return json_integer((json_int_t)number); \
    } while (0)

static json_t *real_json(double number) {
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *float32_json(const unsigned char *bytes) {
    float number;
    memcpy(&number, bytes, sizeof number);
    return real_json(number);
}

static json_t *float64_json(const unsigned char *bytes) {
    double number;
    memcpy(&number, bytes, sizeof number);
    return real_json(number);
}

/* A number or boolean; NULL when JSON's integers do not hold it. */
static json_t *scalar_json(enum value_type type, const unsigned char *bytes) {
    switch (type) {
        case UINT8:
            INTEGER(uint8_t);
        case INT8:
            INTEGER(int8_t);
        case UINT16:
            INTEGER(uint16_t);
        case INT16:
            INTEGER(int16_t);
        case UINT32:
            INTEGER(uint32_t);
        case INT32:
            INTEGER(int32_t);
        case INT64:
            INTEGER(int64_t);
        case BOOL:
            return json_boolean(bytes[0]);
        case FLOAT32:
            return float32_json(bytes);
        case FLOAT64:
            return float64_json(bytes);
        case UINT64:
            return (bytes[7] & 0x80) != 0 ? NULL : scalar_json(INT64, bytes);
        default:
            return NULL;
    }
}

static mneme_status take_value(struct cursor *c, uint32_t type, size_t depth, json_t **value,
                               mneme_error *error);

static mneme_status take_list(struct cursor *c, size_t depth, json_t **value, mneme_error *error) {
    uint32_t type;
    uint64_t n;
    TRY(take(c, &type, sizeof type, error));
    TRY(take(c, &n, sizeof n, error));
    if (type >= N_VALUE_TYPES) return refuse(c, "unknown type of a list's values", error);
    if (depth == MAX_DEPTH) return refuse(c, "lists within lists within lists", error);
    if (n > (c->file->size - c->offset) / value_bytes[type]) {
        return refuse(c, "a list is longer than the file", error);
    }
    json_t *list = json_array();
    mneme_status status = list == NULL ? error_set_memory(error, c->file->path) : MNEME_OK;
    for (uint64_t i = 0; i < n && status == MNEME_OK; i++) {
        json_t *item = NULL;
        status = take_value(c, type, depth + 1, &item, error);
        if (status == MNEME_OK && json_array_append_new(list, item) != 0) {
            status = error_set_memory(error, c->file->path);
        }
    }
    if (status != MNEME_OK) json_decref(list);
    if (status == MNEME_OK) *value = list;
    return status;
}

static mneme_status take_value(struct cursor *c, uint32_t type, size_t depth, json_t **value,
                               mneme_error *error) {
    unsigned char bytes[8];
    if (type >= N_VALUE_TYPES) return refuse(c, "unknown type of a value", error);
    if (type == STRING) return take_json_string(c, value, error);
    if (type == ARRAY) return take_list(c, depth, value, error);
    TRY(take(c, bytes, value_bytes[type], error));
    *value = scalar_json((enum value_type)type, bytes);
    return *value == NULL ? refuse(c, "an integer that is too large", error) : MNEME_OK;
}

static mneme_status take_metadata_value(struct cursor *c, json_t *metadata, const char *key,
                                        mneme_error *error) {
    uint32_t type;
    json_t *value = NULL;
    if (json_object_get(metadata, key) != NULL) return refuse(c, "a second value of a key", error);
    TRY(take(c, &type, sizeof type, error));
    TRY(take_value(c, type, 0, &value, error));
    if (json_object_set_new(metadata, key, value) == 0) return MNEME_OK;
    return refuse(c, "a key is not UTF-8", error);
}

static mneme_status take_metadata(struct cursor *c, uint64_t n, json_t *metadata,
                                  mneme_error *error) {
    mneme_status status = MNEME_OK;
    for (uint64_t i = 0; i < n && status == MNEME_OK; i++) {
        char *key = NULL;
        size_t length;
        TRY(take_string(c, MAX_NAME, &key, &length, error));
        status = take_metadata_value(c, metadata, key, error);
        free(key);
    }
    return status;
}

static mneme_status refuse_tensor(const struct cursor *c, const struct gguf_entry *entry,
                                  const char *cause, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: %s", c->file->path, entry->name,
                     cause);
}

/* The shape, which the file has innermost first; a row holds whole blocks. */
static mneme_status take_shape(struct cursor *c, struct gguf_entry *entry, mneme_error *error) {
    uint32_t rank;
    TRY(take(c, &rank, sizeof rank, error));
    if (rank > GGUF_MAX_RANK) return refuse_tensor(c, entry, "more than 4 dimensions", error);
    entry->rank = rank;
    entry->count = 1;
    for (size_t i = rank; i-- > 0;) {
        uint64_t size;
        TRY(take(c, &size, sizeof size, error));
        entry->shape[i] = (size_t)size;
        if (!size_multiply(entry->count, (size_t)size, &entry->count)) {
            return refuse_tensor(c, entry, "its shape holds more elements than can be", error);
        }
    }
    return MNEME_OK;
}

static mneme_status set_bytes(struct cursor *c, struct gguf_entry *entry, mneme_error *error) {
    size_t bytes, row = entry->rank == 0 ? 1 : entry->shape[entry->rank - 1];
    entry->type = gguf_type_find(entry->type_number);
    if (entry->type == NULL) return MNEME_OK;
    if (row % entry->type->block_elements != 0) {
        return refuse_tensor(c, entry, "its rows are no whole number of blocks", error);
    }
    if (!size_multiply(entry->count / entry->type->block_elements, entry->type->block_bytes,
                       &bytes)) {
        return refuse_tensor(c, entry, "its shape holds more bytes than can be", error);
    }
    entry->bytes = bytes;
    return MNEME_OK;
}

/* Reads one tensor's description; its offset counts from the start of the data. */
static mneme_status take_entry(struct cursor *c, struct gguf_entry *entry, mneme_error *error) {
    size_t length;
    TRY(take_string(c, MAX_NAME, &entry->name, &length, error));
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)entry->name[i] < 0x20) {
            return refuse(c, "control character in a tensor's name", error);
        }
    }
    TRY(take_shape(c, entry, error));
    TRY(take(c, &entry->type_number, sizeof entry->type_number, error));
    TRY(take(c, &entry->offset, sizeof entry->offset, error));
    return set_bytes(c, entry, error);
}

/* Where the tensors' bytes begin. */
static mneme_status data_start(const struct cursor *c, const json_t *metadata, uint64_t *start,
                               mneme_error *error) {
    const json_t *value = json_object_get(metadata, "general.alignment");
    json_int_t alignment = value == NULL ? DEFAULT_ALIGNMENT : json_integer_value(value);
    if (alignment < 1 || alignment > 1 << 20 || (alignment & (alignment - 1)) != 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: general.alignment: must be a power of two",
                         c->file->path);
    }
    uint64_t mask = (uint64_t)alignment - 1;
    *start = (c->offset + mask) & ~mask;
    return MNEME_OK;
}

static int compare_offsets(const void *a, const void *b) {
    const struct gguf_entry *left = a, *right = b;
    if (left->offset != right->offset) return left->offset < right->offset ? -1 : 1;
    return (left->bytes > right->bytes) - (left->bytes < right->bytes);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct gguf_entry *)a)->name, ((const struct gguf_entry *)b)->name);
}

/* Every tensor lies in the file, and none in another. Leaves the entries sorted by name. */
static mneme_status place_entries(const struct cursor *c, struct gguf *file, uint64_t start,
                                  mneme_error *error) {
    uint64_t free_from = start;
    if (file->n > 1) qsort(file->entries, file->n, sizeof *file->entries, compare_offsets);
    for (size_t i = 0; i < file->n; i++) {
        struct gguf_entry *entry = &file->entries[i];
        bool fits = start <= c->file->size && entry->offset <= c->file->size - start &&
                    entry->bytes <= c->file->size - start - entry->offset;
        if (!fits) return refuse_tensor(c, entry, "its bytes lie outside the file", error);
        entry->offset += start;
        if (entry->offset < free_from) return refuse_tensor(c, entry, "overlaps another", error);
        free_from = entry->offset + entry->bytes;
    }
    if (file->n > 1) qsort(file->entries, file->n, sizeof *file->entries, compare_names);
    for (size_t i = 1; i < file->n; i++) {
        if (compare_names(&file->entries[i - 1], &file->entries[i]) == 0) {
            return refuse_tensor(c, &file->entries[i], "is there twice", error);
        }
    }
    return MNEME_OK;
}

/* Reads magic and version, and how many tensors and keys there are. */
static mneme_status take_counts(struct cursor *c, uint64_t counts[2], mneme_error *error) {
    char magic[4];
    uint32_t version;
    if (c->file->size < 24) return refuse(c, "too short for a GGUF file", error);
    TRY(take(c, magic, sizeof magic, error));
    TRY(take(c, &version, sizeof version, error));
    if (memcmp(magic, "GGUF", sizeof magic) != 0) return refuse(c, "no GGUF file", error);
    if (version != 2 && version != 3) {
        return error_set(error, MNEME_BAD_INPUT, "%s: GGUF version %" PRIu32 "%s: must be 2 or 3",
                         c->file->path, version,
                         (version & 0xffff) == 0 ? " (or the byte order of another machine)" : "");
    }
    TRY(take(c, counts, 2 * sizeof *counts, error));
    /* A tensor's description takes 24 bytes at least, a key's 13. */
    if (counts[0] > c->file->size / 24 || counts[1] > c->file->size / 13) {
        return refuse(c, "counts more tensors or keys than the file can hold", error);
    }
    return MNEME_OK;
}

static mneme_status read_header(struct gguf *file, struct cursor *c, mneme_error *error) {
    uint64_t counts[2], start = 0;
    TRY(take_counts(c, counts, error));
    file->metadata = json_object();
    file->entries = memory_allocate((size_t)counts[0], sizeof *file->entries);
    if (file->metadata == NULL || file->entries == NULL) return error_set_memory(error, "a header");
    file->n = (size_t)counts[0]; /* their names are NULL until they are read */
    TRY(take_metadata(c, counts[1], file->metadata, error));
    for (size_t i = 0; i < file->n; i++) TRY(take_entry(c, &file->entries[i], error));
    TRY(data_start(c, file->metadata, &start, error));
    return place_entries(c, file, start, error);
}

mneme_status gguf_open(struct gguf *file, const char *path, mneme_error *error) {
    *file = (struct gguf){0};
    TRY(file_reader_open(&file->file, path, error));
    struct cursor *c = calloc(1, sizeof *c);
    mneme_status status = c == NULL ? error_set_memory(error, path) : MNEME_OK;
    if (c != NULL) c->file = &file->file;
    THEN(read_header(file, c, error));
    free(c);
    if (status != MNEME_OK) gguf_close(file);
    return status;
}

void gguf_close(struct gguf *file) {
    for (size_t i = 0; i < file->n; i++) free(file->entries[i].name);
    free(file->entries);
    json_decref(file->metadata);
    file_reader_close(&file->file);
    *file = (struct gguf){0};
}

bool gguf_is(const char *path) {
    struct file_reader file;
    mneme_error ignored;
    char magic[4] = "";
    if (file_reader_open(&file, path, &ignored) != MNEME_OK) return false;
    bool is = file_reader_read(&file, 0, magic, sizeof magic, &ignored) == MNEME_OK &&
              memcmp(magic, "GGUF", sizeof magic) == 0;
    file_reader_close(&file);
    return is;
}
