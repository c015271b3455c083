#include "reference/reference_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "model/memory_layer.h"

/* All, or those of the memory layers alone where the case has no others. */
static void load_parameters(struct reference_case *c, struct reference_model *m) {
    const bool whole = reference_has_input(c, m->model.embedding->name);
    for (size_t i = 0; i < m->model.n_parameters && c->status == MNEME_OK; i++) {
        struct parameter *p = &m->model.parameters[i];
        if (!whole && (p->roles & ROLE_MEMORY) == 0) continue;
        size_t count = p->count;
        const float *data = reference_floats(c, &count, "%s", p->name);
        if (data != NULL) memcpy(p->data, data, count * sizeof *data);
    }
}

/* With room for the logits of all tokens, which are compared. */
static mneme_status open_pass(struct reference_model *m, size_t max_tokens, bool training,
                              mneme_error *error) {
    const size_t longest = m->model.config.max_seq_len;
    const struct pass_size size = {.tokens = max_tokens,
                                   .positions = max_tokens < longest ? max_tokens : longest,
                                   .logits = max_tokens};
    return pass_open_sized(&m->pass, &m->model, &size, training, error);
}

void reference_model_open(struct reference_case *c, struct reference_model *m, size_t max_tokens) {
    struct json_place at;
    struct model_config config;
    *m = (struct reference_model){0};
    if (c->status != MNEME_OK) return;
    if (!reference_ok(c, json_get_object(&c->place, "config", KEY_REQUIRED, &at, c->error)) ||
        !reference_ok(c, model_config_from_json(at.object, at.place, &config, c->error)) ||
        !reference_ok(c, model_open(&config, &m->model, c->error)) ||
        !reference_ok(c, open_pass(m, max_tokens, true, c->error)) ||
        !reference_ok(c, batch_builder_open(&m->builder, max_tokens, c->error))) {
        return;
    }
    load_parameters(c, m);
}

void reference_model_load(struct reference_case *c, struct reference_model *m, size_t max_tokens) {
    char *name = NULL;
    *m = (struct reference_model){0};
    if (c->status != MNEME_OK ||
        !reference_ok(c, json_get_string(&c->place, "model", KEY_REQUIRED, &name, c->error))) {
        return;
    }
    const struct path folder =
        name[0] == '/' ? path_in(name, ".") : path_in(path_parent(c->path).text, "%s", name);
    mneme_status status = model_load(folder.text, &m->model, c->error);
    if (status == MNEME_OK) {
        status = open_pass(m, max_tokens, false, c->error);
        if (status == MNEME_OK) status = batch_builder_open(&m->builder, max_tokens, c->error);
    }
    reference_ok(c, status);
    free(name);
}

void reference_model_close(struct reference_model *m) {
    optimizer_close(&m->optimizer);
    batch_builder_close(&m->builder);
    pass_close(&m->pass);
    model_close(&m->model);
}

void reference_model_train(struct reference_case *c, struct reference_model *m,
                           const struct adamw_settings *settings, struct parameter **list,
                           size_t n) {
    if (c->status != MNEME_OK) return;
    if (list == NULL) {
        n = m->model.n_parameters;
        list = reference_room(c, n, sizeof(struct parameter *));
        for (size_t i = 0; list != NULL && i < n; i++) list[i] = &m->model.parameters[i];
        if (list == NULL) return;
    }
    reference_ok(c, optimizer_open(&m->optimizer, settings, list, n, c->error));
}

size_t reference_batch_tokens(struct reference_case *c) {
    size_t n = 0;
    const int32_t *starts = reference_starts(c, &n);
    return starts == NULL ? 1 : (size_t)starts[n - 1];
}

static bool tokens_fit(struct reference_case *c, size_t n, const int32_t *tokens,
                       size_t vocab_size) {
    for (size_t i = 0; i < n; i++) {
        if (tokens[i] >= 0 && (size_t)tokens[i] < vocab_size) continue;
        return reference_ok(c, error_set(c->error, MNEME_BAD_INPUT, "%s: case `%s`: token %d",
                                         c->path, c->name, (int)tokens[i]));
    }
    return true;
}

struct batch reference_model_batch(struct reference_case *c, struct reference_model *m,
                                   const char *prefix, size_t index) {
    size_t n_starts = 0, all = 0;
    char name[64];
    snprintf(name, sizeof name, "%stargets", prefix);
    const int32_t *starts = reference_starts(c, &n_starts);
    const int32_t *tokens = reference_integers(c, &all, "%stokens", prefix), *targets = NULL;
    if (reference_has_input(c, name)) targets = reference_integers(c, &all, "%s", name);
    if (c->status != MNEME_OK) return (struct batch){0};
    size_t first = index * (size_t)starts[n_starts - 1];
    batch_builder_clear(&m->builder);
    if (!tokens_fit(c, all, tokens, m->model.config.vocab_size)) return (struct batch){0};
    for (size_t s = 0; s + 1 < n_starts; s++) {
        size_t at = first + (size_t)starts[s], length = (size_t)(starts[s + 1] - starts[s]);
        batch_builder_add(&m->builder, length, tokens + at, targets == NULL ? NULL : targets + at,
                          0);
    }
    return batch_builder_whole(&m->builder);
}

/* The sum of both halves' scores of a slot, as the engine computes it: a chain each. */
static float slot_score(size_t half, const float *query, const float *row, const float *column) {
    float first = 0.0f, second = 0.0f;
    for (size_t j = 0; j < half; j++) {
        first = fmaf(query[j], row[j], first);
        second = fmaf(query[half + j], column[j], second);
    }
    return first + second;
}

static double exact_slot_score(size_t half, const double *query, const double *row,
                               const double *column) {
    double sum = 0.0;
    for (size_t j = 0; j < half; j++) sum += query[j] * row[j] + query[half + j] * column[j];
    return sum;
}

/* The sub-keys that are scored in float64: the file's, where there is a norm. */
static const double *exact_keys(struct reference_case *c, const struct reference_model *m, size_t l,
                                const float *scored) {
    const struct layer *layer = &m->model.layers[l];
    size_t count = layer->keys->count;
    if (layer->key_norm != NULL) {
        reference_compare(c, count, scored, "keys.%zu", l);
        return reference_exact(c, count, "keys.%zu", l);
    }
    double *exact = reference_room(c, count, sizeof *exact);
    for (size_t i = 0; exact != NULL && i < count; i++) exact[i] = (double)scored[i];
    return exact;
}

void reference_compare_lookup(struct reference_case *c, const struct reference_model *m, size_t l,
                              size_t n) {
    const struct memory_config *memory = &m->model.config.memory;
    const struct layer_activations *a = &m->pass.activations.layers[l];
    const float *keys = memory_layer_scored_keys(&m->pass, l);
    size_t half = memory->k_dim / 2, heads = memory->heads, total = n * heads * memory->knn;
    char name[32];
    snprintf(name, sizeof name, "slots.%zu", l);
    if (!reference_has_output(c, name)) return;
    float *scores = reference_room(c, total, sizeof *scores);
    double *exact_scores = reference_room(c, total, sizeof *exact_scores);
    const double *query = reference_exact(c, n * heads * memory->k_dim, "query.%zu", l);
    const double *theirs = reference_exact(c, total, "scores.%zu", l);
    const double *all_keys = exact_keys(c, m, l, keys);
    if (c->status != MNEME_OK) return;
    for (size_t i = 0; i < total; i++) {
        size_t lookup = i / memory->knn; /* token * heads + head */
        const size_t table = lookup % heads * 2 * memory->n_keys;
        const size_t row = (table + (size_t)a->slot_rows[i]) * half;
        const size_t column = (table + memory->n_keys + (size_t)a->slot_columns[i]) * half;
        scores[i] = slot_score(half, a->query + lookup * memory->k_dim, keys + row, keys + column);
        exact_scores[i] = exact_slot_score(half, query + lookup * memory->k_dim, all_keys + row,
                                           all_keys + column);
    }
    double tolerance = reference_largest_error(c, total, scores, "scores.%zu", l);
    reference_compare(c, n * heads * memory->k_dim, a->query, "query.%zu", l);
    reference_compare(c, total, scores, "scores.%zu", l);
    reference_select(c, total, a->slots, exact_scores, theirs, tolerance, "slots.%zu", l);
}

void reference_compare_gradients(struct reference_case *c, const struct optimizer *optimizer) {
    for (size_t i = 0; i < optimizer->n_trained && c->status == MNEME_OK; i++) {
        const struct parameter *p = optimizer->trained[i];
        char name[PARAMETER_NAME_SIZE + 8];
        snprintf(name, sizeof name, "d.%s", p->name);
        if (!reference_has_output(c, name)) continue;
        reference_compare(c, p->count, gradient_of(&optimizer->gradients, p), "%s", name);
    }
}

/* One of the names, the first where the case has none. */
static size_t choice(struct reference_case *c, const char *key, const char *const *names, size_t n,
                     enum key_need need) {
    size_t index = 0;
    if (c->status == MNEME_OK) {
        reference_ok(c, json_get_choice(&c->place, key, need, names, n, &index, c->error));
    }
    return index;
}

/* A number that a case need not have. */
static float number_or(struct reference_case *c, const char *key, float number) {
    if (c->status == MNEME_OK) {
        reference_ok(c,
                     json_get_float(&c->place, key, KEY_OPTIONAL, 0.0f, 1e30f, &number, c->error));
    }
    return number;
}

struct adamw_settings reference_adamw(struct reference_case *c) {
    size_t clip_values =
        choice(c, "clip_values", clip_values_names, CLIP_VALUES_COUNT, KEY_OPTIONAL);
    return (struct adamw_settings){.beta1 = reference_float(c, "beta1"),
                                   .beta2 = reference_float(c, "beta2"),
                                   .eps = reference_float(c, "eps"),
                                   .weight_decay = reference_float(c, "weight_decay"),
                                   .values_weight_decay = reference_float(c, "values_weight_decay"),
                                   .clip = reference_float(c, "clip"),
                                   .clip_values = (enum clip_values)clip_values};
}

struct schedule reference_schedule(struct reference_case *c) {
    size_t kind = choice(c, "schedule", schedule_names, SCHEDULE_COUNT, KEY_REQUIRED);
    size_t rule =
        choice(c, "schedule_rule", schedule_rule_names, SCHEDULE_RULE_COUNT, KEY_OPTIONAL);
    return (struct schedule){.kind = (enum schedule_kind)kind,
                             .rule = (enum schedule_rule)rule,
                             .warmup = reference_size(c, "warmup"),
                             .steps = reference_size(c, "steps"),
                             .lr_min_ratio = reference_float(c, "lr_min_ratio"),
                             .cosine_theta = number_or(c, "cosine_theta", 1.0f),
                             .cycle_length = number_or(c, "cycle_length", 1.0f),
                             .exp_factor = number_or(c, "exp_factor", 0.5f)};
}
