#include "teach/teach_report.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "base/text.h"

static void add_row(struct text *text, const char *name, double before, double after) {
    text_add(text, "%-28s %10.4f %10.4f", name, before, after);
    if (before > 0.0) text_add(text, " %+9.1f %%", 100.0 * (after / before - 1.0));
    text_add(text, "\n");
}

static size_t count_learned(const struct outcome *o) {
    size_t n = 0;
    for (size_t i = 0; i < o->n_taught; i++) n += o->results[i].learned;
    return n;
}

static mneme_status as_text(const struct outcome *o, char **report, mneme_error *error) {
    struct text text = {0};
    text_add(&text, "%s: %zu facts (%zu new, %zu learned in time), %zu rows\n", o->patch_path,
             o->patch->n_facts, o->n_taught, count_learned(o), o->patch->n_rows);
    text_add(&text, "\n%-28s %10s %10s %11s\n", "", "before", "after", "change");
    if (o->has_questions) {
        add_row(&text, "facts: F1", o->before.new_f1, o->after.new_f1);
        add_row(&text, "facts: exact match", o->before.new_em, o->after.new_em);
    }
    if (o->has_keep) {
        add_row(&text, "keep: F1", o->before.keep_f1, o->after.keep_f1);
        add_row(&text, "keep: exact match", o->before.keep_em, o->after.keep_em);
    }
    add_row(&text, "held-out text: NLL", (double)o->before.text_nll, (double)o->after.text_nll);
    *report = text_take(&text);
    return *report == NULL ? error_set_memory(error, "the report") : MNEME_OK;
}

static json_t *measures_to_json(const struct outcome *o, const struct measures *m) {
    json_t *object = json_pack("{s:o}", "text_nll", json_float(m->text_nll));
    if (o->has_questions) {
        json_object_set_new(object, "facts_f1", json_real(m->new_f1));
        json_object_set_new(object, "facts_exact_match", json_real(m->new_em));
    }
    if (o->has_keep) {
        json_object_set_new(object, "keep_f1", json_real(m->keep_f1));
        json_object_set_new(object, "keep_exact_match", json_real(m->keep_em));
    }
    return object;
}

static json_t *facts_to_json(const struct outcome *o) {
    json_t *facts = json_array();
    for (size_t i = 0; i < o->n_taught; i++) {
        const struct course_result *r = &o->results[i];
        const struct patch_fact *fact = &o->patch->facts[o->patch->n_facts - o->n_taught + i];
        json_array_append_new(
            facts,
            json_pack("{s:s, s:b, s:I, s:o, s:o, s:I, s:I, s:I, s:I}", "question", fact->question,
                      "learned", (int)r->learned, "steps", (json_int_t)r->steps, "loss_before",
                      json_float(r->loss_before), "loss", json_float(r->loss), "slots_read",
                      (json_int_t)r->n_read, "t", (json_int_t)r->t, "rows", (json_int_t)r->n_slots,
                      "facts_again", (json_int_t)r->n_reviewed));
    }
    return facts;
}

static mneme_status as_json(const struct outcome *o, char **report, mneme_error *error) {
    json_t *object =
        json_pack("{s:s, s:I, s:I, s:I, s:b, s:f, s:f, s:o, s:o, s:o, s:o}", "patch", o->patch_path,
                  "facts", (json_int_t)o->patch->n_facts, "new", (json_int_t)o->n_taught, "rows",
                  (json_int_t)o->patch->n_rows, "stopped", (int)o->stopped, "keep_lost",
                  o->lost.keep, "text_lost", o->lost.text, "settings",
                  teach_settings_to_json(o->settings), "before", measures_to_json(o, &o->before),
                  "after", measures_to_json(o, &o->after), "taught", facts_to_json(o));
    char *printed =
        object == NULL ? NULL : json_print(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(object);
    struct text text = {0};
    if (printed != NULL) text_add(&text, "%s\n", printed);
    free(printed);
    *report = text_take(&text);
    return *report == NULL ? error_set_memory(error, "the report") : MNEME_OK;
}

mneme_status teach_report(const struct outcome *o, bool json, char **report, mneme_error *error) {
    return json ? as_json(o, report, error) : as_text(o, report, error);
}
