/* perf_tokenize TOKENIZER FILE.jsonl [ROUNDS]: tokens a second of tokenizer_encode_many over the
 * `text`s of a file, on as many threads as OMP_NUM_THREADS says; the first round meets words that
 * are not known yet. perf/tokenize_peer.py is the same for the Python package. */

#include <jansson.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "common/bench.h"
#include "tokenizer/encode_many.h"

static void check(mneme_status status, const mneme_error *error) {
    if (status != MNEME_OK) bench_stop("%s", error->message);
}

/* What all threads have used: on a shared machine it says more than the time that passed. */
static double cpu_seconds(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

/* The texts of the file, which live on. */
static struct encode_text *read_texts(const char *path, size_t *n, size_t *n_bytes) {
    struct encode_text *texts = NULL;
    char *line = NULL;
    size_t capacity = 0;
    FILE *stream = fopen(path, "r");
    *n = *n_bytes = 0;
    if (stream == NULL) bench_stop("%s: cannot open", path);
    while (getline(&line, &capacity, stream) > 0) {
        json_t *text = json_object_get(json_loads(line, 0, NULL), "text");
        if (!json_is_string(text)) continue;
        texts = realloc(texts, (*n + 1) * sizeof *texts);
        if (texts == NULL) bench_stop("out of memory");
        texts[(*n)++] = (struct encode_text){json_string_value(text), json_string_length(text)};
        *n_bytes += json_string_length(text);
    }
    free(line);
    fclose(stream);
    return texts;
}

int main(int argc, char **argv) {
    if (argc < 3) bench_stop("usage: perf_tokenize TOKENIZER FILE.jsonl [ROUNDS]");
    size_t n, n_bytes, rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 3;
    struct encode_text *texts = read_texts(argv[2], &n, &n_bytes);
    struct tokenizer *tokenizer;
    mneme_error error = {0};
    check(tokenizer_load(argv[1], &tokenizer, &error), &error);
    size_t *ends = bench_allocate(n + 1, sizeof *ends);
    for (size_t round = 0; round < rounds; round++) {
        struct token_list ids = {0};
        double start = clock_seconds(), used_before = cpu_seconds();
        check(tokenizer_encode_many(tokenizer, n, texts, &ids, ends, &error), &error);
        double seconds = clock_seconds() - start, used = cpu_seconds() - used_before;
        printf(
            "%d threads: %zu texts, %zu bytes, %zu tokens, %.3f s, %.0f tokens/s, "
            "%.0f tokens a CPU second\n",
            omp_get_max_threads(), n, n_bytes, ids.n, seconds, (double)ids.n / seconds,
            (double)ids.n / used);
        token_list_free(&ids);
    }
    tokenizer_free(tokenizer);
    free(ends);
    free(texts);
    return 0;
}
