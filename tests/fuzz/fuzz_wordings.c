/* Files of wordings, filled with a question; the bytes as a prompt, too. */

#include "data/asking.h"
#include "data/wordings.h"
#include "tests/fuzz/input.h"
#include "text/form.h"

/* Fills each wording that was read, and shows it. */
static void fill(const struct wordings *wordings) {
    char one[] = "one", *answers[] = {one}, who[] = "who?";
    const struct question record = {.question = who, .answers = {answers, 1, 1}};
    struct text_list texts = {0};
    mneme_error error = {0};
    if (wordings_of(wordings, &record, who, true, &texts, &error) != MNEME_OK) abort();
    for (size_t i = 0; i < texts.n; i++) {
        char *shown = form_show(texts.texts[i]);
        if (shown == NULL || strstr(shown, one) == NULL) abort();
        free(shown);
    }
    text_list_free(&texts);
}

/* Asks a question after another one. */
static void ask(const char *form) {
    const struct shot shot = {"when?", "now"};
    struct asking asking;
    mneme_error error = {0};
    char *prompt = NULL;
    mneme_status status = asking_read(form, "prompt", &asking, &error);
    input_check(status, &error);
    if (status != MNEME_OK) return;
    if (asking_prompt(&asking, 1, &shot, "who?", &prompt, &error) != MNEME_OK) abort();
    free(prompt);
    asking_free(&asking);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64], *text = calloc(length + 1, 1);
    mneme_error error = {0};
    struct wordings wordings = {0};
    int descriptor = input_open(bytes, length, path);
    mneme_status status = wordings_load(path, &wordings, &error);
    input_check(status, &error);
    if (status == MNEME_OK) fill(&wordings);
    wordings_free(&wordings);
    if (text == NULL) abort();
    memcpy(text, bytes, length);
    ask(text);
    free(text);
    close(descriptor);
    return 0;
}
