#include "lesson/lesson.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "text/form.h"

/* A lesson in the making. */
struct making {
    struct lesson *lesson;
    const struct voice *voice;
    const struct question *record;
    char *marked; /* the question with its mark */
    struct text_list texts;
    size_t capacity; /* of first_targets */
    mneme_error *error;
};

/* The tokens before the text's first token of which `bytes` bytes are not all a part. */
static mneme_status count_before(const struct making *m, const char *text, size_t bytes,
                                 const int32_t *ids, size_t n_ids, size_t *n_before) {
    const struct text_manner *manner = &m->voice->manner;
    struct token_list list = {0};
    char *start = strndup(text, bytes);
    if (start == NULL) return error_set_memory(m->error, "a wording");
    mneme_status status = token_list_append(&list, manner->before, manner->n_before, m->error);
    THEN(chat_style_encode(manner->style, m->voice->tokenizer, start, false, &list, m->error));
    *n_before = 0;
    while (*n_before < list.n && *n_before < n_ids && list.ids[*n_before] == ids[*n_before]) {
        ++*n_before;
    }
    token_list_free(&list);
    free(start);
    return status;
}

/* Where in the text the answer begins that comes last; NULL where there is none, or the question
 * comes after it. */
static const char *find_answer(const struct making *m, const char *text) {
    const char *answer = m->record->answers.texts[0], *found = NULL;
    for (const char *at = text; (at = strstr(at, answer)) != NULL; at++) found = at;
    if (found == NULL) return NULL;
    /* The question may stand without its mark. */
    size_t length = strlen(m->marked) - 1;
    for (const char *at = found; *at != '\0'; at++) {
        if (strncmp(at, m->marked, length) == 0) return NULL;
    }
    return found;
}

/* Adds a text of which what follows its first `bytes` bytes counts. */
static mneme_status add_text(struct making *m, char *text, size_t bytes) {
    struct lesson *lesson = m->lesson;
    struct token_texts *texts = &lesson->texts;
    struct texts_lost lost = {0};
    size_t n = texts->n, before = 0;
    while (bytes > 0 && text[bytes - 1] == ' ') bytes--;
    TRY(token_texts_add_in(texts, m->voice->tokenizer, &m->voice->manner, 1, &text, &lost,
                           m->error));
    if (texts->n == n) return MNEME_OK;
    TRY(memory_grow((void **)&lesson->first_targets, &m->capacity, texts->n,
                    sizeof *lesson->first_targets, "a lesson", m->error));
    TRY(count_before(m, text, bytes, texts->tokens.ids + texts->starts[n], texts->lengths[n],
                     &before));
    lesson->first_targets[n] = before > 0 ? before - 1 : 0;
    return MNEME_OK;
}

/* The question as it is asked, with its answer. */
static mneme_status add_asked(struct making *m) {
    const struct asking *asking = &m->voice->asking;
    char *prompt = NULL;
    TRY(asking_prompt(asking, 0, NULL, m->marked, &prompt, m->error));
    struct text text = {0};
    text_add(&text, "%s%s%s", prompt, asking->lead, m->record->answers.texts[0]);
    char *whole = text_take(&text);
    mneme_status status = whole == NULL ? error_set_memory(m->error, "a question") : MNEME_OK;
    THEN(add_text(m, whole, strlen(prompt)));
    free(whole);
    free(prompt);
    return status;
}

/* FNV-1a of the question, which draws its wordings. */
static uint32_t hash(const char *question) {
    uint32_t hash = 2166136261u;
    for (const char *c = question; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash;
}

/* Wordings of the list [first, n), in an order drawn by the question. */
static mneme_status add_wordings(struct making *m, size_t first, size_t most, uint64_t seed) {
    size_t n = m->texts.n - first;
    uint32_t *order = malloc((n + 1) * sizeof *order);
    if (order == NULL) return error_set_memory(m->error, "a lesson");
    random_permutation(seed, RANDOM_STREAM_PARAPHRASE, (uint64_t)hash(m->marked) << 32, n, order);
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && m->lesson->texts.n < most && status == MNEME_OK; i++) {
        char *text = m->texts.texts[first + order[i]];
        const char *answer = find_answer(m, text);
        if (answer == NULL) continue;
        status = add_text(m, text, (size_t)(answer - text));
    }
    free(order);
    return status;
}

static mneme_status add_statements(struct making *m, size_t most) {
    size_t n = m->record->statements.n;
    for (size_t i = 0; i < n && i < most; i++) {
        const char *text = m->record->statements.texts[i];
        char *copy = strdup(text);
        mneme_status status =
            copy == NULL ? error_set_memory(m->error, "a statement") : add_text(m, copy, 0);
        free(copy);
        TRY(status);
    }
    return MNEME_OK;
}

static mneme_status make(struct making *m, size_t n_wordings, uint64_t seed) {
    const struct text_manner *manner = &m->voice->manner;
    struct question bare = {.answers = m->record->answers};
    m->marked = question_marked(m->record->question);
    if (m->marked == NULL) return error_set_memory(m->error, "a question");
    TRY(wordings_of(&m->voice->wordings, &bare, m->marked, manner->style != NULL, &m->texts,
                    m->error));
    TRY(add_asked(m));
    TRY(add_wordings(m, 0, n_wordings, seed));
    m->lesson->n_wordings = m->lesson->texts.n;
    return add_statements(m, n_wordings);
}

mneme_status lesson_open(struct lesson *lesson, const struct voice *voice,
                         const struct question *record, size_t n_wordings, uint64_t seed,
                         mneme_error *error) {
    *lesson = (struct lesson){0};
    struct making m = {.lesson = lesson, .voice = voice, .record = record, .error = error};
    mneme_status status = make(&m, n_wordings, seed);
    text_list_free(&m.texts);
    free(m.marked);
    if (status != MNEME_OK) lesson_close(lesson);
    return status;
}

void lesson_close(struct lesson *lesson) {
    token_texts_free(&lesson->texts);
    free(lesson->first_targets);
    *lesson = (struct lesson){0};
}

size_t lesson_tokens(const struct lesson *lesson) {
    size_t n = 0;
    for (size_t i = 0; i < lesson->texts.n; i++) n += lesson->texts.lengths[i];
    return n;
}

void lesson_add(const struct lesson *lesson, size_t text, struct batch_builder *builder) {
    batch_builder_add_text_from(builder, &lesson->texts, text, lesson->first_targets[text]);
}
