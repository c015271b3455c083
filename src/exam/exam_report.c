#include "exam/exam_report.h"

#include <string.h>

#include "base/json_write.h"
#include "report/table.h"

/* A table of one kind of results, after an empty line where another one stands before. */
static void print(struct table *table, struct text *text) {
    if (text->length > 0) text_add(text, "\n");
    table_print(table, text);
    text->failed |= table->failed;
    table_free(table);
}

static void add_number(struct table *table, double value) {
    table_add(table, value < 1e6 ? "%.4f" : "%.4g", value);
}

static void add_head(struct table *table, const char *const *names) {
    for (size_t i = 0; i < table->n_columns; i++) table_add(table, "%s", names[i]);
}

static void print_questions(const mneme_eval_results *results, struct text *text) {
    static const char *const head[] = {"questions",    "n", "F1", "exact match", "NLL per token",
                                       "NLL of answer"};
    struct table table = {.n_columns = sizeof head / sizeof *head};
    if (results->n_questions == 0) return;
    add_head(&table, head);
    for (size_t i = 0; i < results->n_questions; i++) {
        const mneme_eval_questions *r = &results->questions[i];
        table_add(&table, "%s", r->file);
        table_add(&table, "%zu", r->n);
        table_add(&table, "%.4f", r->f1);
        table_add(&table, "%.4f", r->exact_match);
        table_add(&table, "%.4f", r->nll);
        table_add(&table, "%.4f", r->answer_nll);
    }
    print(&table, text);
}

static void print_texts(const mneme_eval_results *results, struct text *text) {
    static const char *const head[] = {"text",         "tokens",          "NLL per token",
                                       "perplexity",   "word perplexity", "byte perplexity",
                                       "bits per byte"};
    struct table table = {.n_columns = sizeof head / sizeof *head};
    if (results->n_texts == 0) return;
    add_head(&table, head);
    for (size_t i = 0; i < results->n_texts; i++) {
        const mneme_eval_text *r = &results->texts[i];
        table_add(&table, "%s", r->file);
        table_add(&table, "%zu", r->n_tokens);
        add_number(&table, r->nll);
        add_number(&table, r->perplexity);
        add_number(&table, r->word_perplexity);
        add_number(&table, r->byte_perplexity);
        add_number(&table, r->bits_per_byte);
    }
    print(&table, text);
}

static void print_choices(const mneme_eval_results *results, struct text *text) {
    static const char *const head[] = {"choices", "n", "acc", "acc_norm", "per byte", "per token"};
    struct table table = {.n_columns = sizeof head / sizeof *head};
    if (results->n_choices == 0) return;
    add_head(&table, head);
    for (size_t i = 0; i < results->n_choices; i++) {
        const mneme_eval_choices *r = &results->choices[i];
        table_add(&table, "%s", r->file);
        table_add(&table, "%zu", r->n);
        table_add(&table, "%.4f", r->acc);
        table_add(&table, "%.4f", r->acc_norm);
        table_add(&table, "%.4f", r->acc_norm_bytes);
        table_add(&table, "%.4f", r->acc_norm_tokens);
    }
    print(&table, text);
}

static void add_note(struct text *text, const char *file, size_t n, const char *what) {
    if (n == 0) return;
    text_add(text, "note: %s: %s did not fit the model, their beginnings were left out: %zu\n",
             file, what, n);
}

char *exam_report_table(const mneme_eval_results *results) {
    struct text text = {0};
    print_questions(results, &text);
    print_texts(results, &text);
    print_choices(results, &text);
    for (size_t i = 0; i < results->n_questions; i++) {
        add_note(&text, results->questions[i].file, results->questions[i].n_shortened, "prompts");
    }
    for (size_t i = 0; i < results->n_choices; i++) {
        add_note(&text, results->choices[i].file, results->choices[i].n_shortened, "questions");
    }
    return text_take(&text);
}

static void set_size(json_t *object, const char *key, size_t value) {
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* A number that JSON has not, an infinite perplexity, becomes a null. */
static void set_number(json_t *object, const char *key, double value) {
    json_t *number = json_real(value);
    json_object_set_new(object, key, number == NULL ? json_null() : number);
}

static json_t *questions_json(const mneme_eval_questions *r) {
    json_t *object = json_object();
    json_object_set_new(object, "file", json_string(r->file));
    set_size(object, "n", r->n);
    set_number(object, "f1", r->f1);
    set_number(object, "exact_match", r->exact_match);
    set_number(object, "nll", r->nll);
    set_number(object, "answer_nll", r->answer_nll);
    set_size(object, "shortened", r->n_shortened);
    return object;
}

static json_t *text_json(const mneme_eval_text *r) {
    json_t *object = json_object();
    json_object_set_new(object, "file", json_string(r->file));
    set_size(object, "documents", r->n_documents);
    set_size(object, "windows", r->n_windows);
    set_size(object, "tokens", r->n_tokens);
    set_size(object, "words", r->n_words);
    set_size(object, "bytes", r->n_bytes);
    set_number(object, "nll", r->nll);
    set_number(object, "perplexity", r->perplexity);
    set_number(object, "word_perplexity", r->word_perplexity);
    set_number(object, "byte_perplexity", r->byte_perplexity);
    set_number(object, "bits_per_byte", r->bits_per_byte);
    return object;
}

static json_t *choices_json(const mneme_eval_choices *r) {
    json_t *object = json_object();
    json_object_set_new(object, "file", json_string(r->file));
    set_size(object, "n", r->n);
    set_number(object, "acc", r->acc);
    set_number(object, "acc_norm", r->acc_norm);
    set_number(object, "acc_norm_bytes", r->acc_norm_bytes);
    set_number(object, "acc_norm_tokens", r->acc_norm_tokens);
    set_size(object, "shortened", r->n_shortened);
    return object;
}

char *exam_report_json(const mneme_eval_results *results) {
    json_t *questions = json_array(), *texts = json_array(), *choices = json_array();
    json_t *object = json_object();
    for (size_t i = 0; i < results->n_questions; i++) {
        json_array_append_new(questions, questions_json(&results->questions[i]));
    }
    for (size_t i = 0; i < results->n_texts; i++) {
        json_array_append_new(texts, text_json(&results->texts[i]));
    }
    for (size_t i = 0; i < results->n_choices; i++) {
        json_array_append_new(choices, choices_json(&results->choices[i]));
    }
    json_object_set_new(object, "questions", questions);
    json_object_set_new(object, "texts", texts);
    json_object_set_new(object, "choices", choices);
    char *text = json_print(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(object);
    return text;
}
