#include "budget/model_report.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/text.h"
#include "budget/bytes_text.h"
#include "budget/model_work.h"
#include "smf/model_background.h"
#include "tensor/model_digest.h"
#include "tensor/safetensors_set.h"
#include "tokenizer/tokenizer.h"

/* Tokens that are read at once, and that stand before a decoded one. */
#define CONTEXT 512

struct model_facts {
    const char *folder;
    struct model model; /* described */
    struct model_parts parts;
    size_t file_bytes;
    struct tokenizer *tokenizer; /* NULL: none */
    bool has_background;
    size_t n_batches; /* of it */
    mneme_digest digest;
    struct token_cost {
        double flops, bytes;
    } decoded, read;
};

/* Bytes of the weights' files, whose tensors are those of the config. */
static mneme_status read_files(struct model_facts *f, mneme_error *error) {
    struct safetensors_set set;
    TRY(safetensors_set_open(&set, f->folder, error));
    mneme_status status = model_check_tensors(&f->model, &set, error);
    if (status == MNEME_OK) model_note_types(&f->model, &set, 0);
    for (size_t i = 0; i < set.n_files; i++) f->file_bytes += set.files[i].file.size;
    safetensors_set_close(&set);
    return status;
}

static mneme_status read_background(struct model_facts *f, mneme_error *error) {
    struct background background;
    const struct path path = path_in(f->folder, MODEL_BACKGROUND_FILE);
    f->has_background = f->model.n_tables > 0 && file_exists(path.text);
    if (!f->has_background) return MNEME_OK;
    TRY(background_load(&background, path.text, model_background_slots(&f->model), error));
    f->n_batches = background.n_batches;
    background_close(&background);
    return MNEME_OK;
}

static mneme_status read_tokenizer(struct model_facts *f, mneme_error *error) {
    const struct path path = path_in(f->folder, "tokenizer.json");
    return file_exists(path.text) ? tokenizer_load(path.text, &f->tokenizer, error) : MNEME_OK;
}

/* A decoded token reads every weight, a token that is read among others its share of that. */
static void count_work(struct model_facts *f) {
    const double context = CONTEXT;
    const struct pass_work decoded = {1.0, 2.0 * context, 1.0}, read = {context, context, 1.0};
    f->decoded.flops = work_forward(&f->model, &decoded, 0);
    f->decoded.bytes = work_weight_bytes(&f->model, 1.0) + work_cache_bytes(&f->model, context);
    f->read.flops = work_forward(&f->model, &read, 0) / context;
    f->read.bytes = work_weight_bytes(&f->model, context) / context;
}

static mneme_status read_facts(struct model_facts *f, mneme_error *error) {
    struct model_config config;
    TRY(model_load_config(f->folder, &config, error));
    TRY(model_describe(&config, &f->model, error));
    TRY(read_files(f, error));
    TRY(read_tokenizer(f, error));
    TRY(read_background(f, error));
    f->parts = model_parts(&f->model);
    count_work(f);
    return model_digest_path(f->folder, &f->digest, error);
}

static void close_facts(struct model_facts *f) {
    model_digest_free(&f->digest);
    tokenizer_free(f->tokenizer);
    model_close(&f->model);
}

/* The parts that have a line, by their names. */
struct named_part {
    const char *name, *key;
    size_t count;
};

#define N_PARTS 8

static void list_parts(const struct model_parts *parts, struct named_part named[N_PARTS]) {
    const struct named_part list[N_PARTS] = {
        {"embedding", "embedding", parts->embedding},
        {"attention", "attention", parts->attention},
        {"feed-forward", "feed_forward", parts->ffn},
        {"norms", "norms", parts->norms},
        {"memory keys", "memory_keys", parts->memory_keys},
        {"memory values", "memory_values", parts->memory_values},
        {"memory projections", "memory_projections", parts->memory_other},
        {"output", "output", parts->output}};
    for (size_t i = 0; i < N_PARTS; i++) named[i] = list[i];
}

static void add_architecture(const struct model_config *c, struct text *text) {
    text_add(text,
             "layers        %zu of width %zu, feed-forward %zu\n"
             "attention     %zu heads of width %zu, %zu for keys and values\n"
             "vocabulary    %zu tokens%s\n"
             "longest       %zu tokens\n",
             c->n_layers, c->dim, model_hidden_dim(c), c->n_heads, model_head_dim(c), c->n_kv_heads,
             c->vocab_size, c->tied_output ? ", the output is the embedding" : "", c->max_seq_len);
}

static void add_memory(const struct model_facts *f, struct text *text) {
    const struct memory_config *m = &f->model.config.memory;
    if (m->n_layers == 0) {
        text_add(text, "memory        none\n");
        return;
    }
    text_add(
        text,
        "memory        %zu slots of width %zu, %zu table%s, %s the feed-forward network of layer",
        model_n_slots(&f->model.config), m->v_dim, f->model.n_tables,
        f->model.n_tables == 1 ? "" : "s",
        m->placement == MEMORY_BESIDE ? "beside" : "in place of");
    for (size_t i = 0; i < m->n_layers; i++) {
        text_add(text, "%s %zu", i > 0 ? "," : "", m->layers[i]);
    }
    text_add(text, "\n              %zu heads read %zu slots each; keys of width %zu\n", m->heads,
             m->knn, m->k_dim);
    if (f->has_background) {
        text_add(text, "background    of %zu batches\n", f->n_batches);
    } else {
        text_add(text, "background    none\n");
    }
}

static void add_parts(const struct model_facts *f, struct text *text) {
    struct named_part parts[N_PARTS];
    const size_t all = model_count(&f->model);
    char count[BYTES_TEXT];
    text_add(text, "parameters    %zu (%s)\n", all, count_text((double)all, count));
    list_parts(&f->parts, parts);
    for (size_t i = 0; i < N_PARTS; i++) {
        if (parts[i].count == 0) continue;
        text_add(text, "  %-18s  %12zu  %5.1f %%\n", parts[i].name, parts[i].count,
                 100.0 * (double)parts[i].count / (double)all);
    }
}

static void add_cost(const char *name, const struct token_cost *cost, struct text *text) {
    char flops[BYTES_TEXT], bytes[BYTES_TEXT];
    text_add(text, "%s %s flops, %s\n", name, count_text(cost->flops, flops),
             bytes_text((size_t)cost->bytes, bytes));
}

static char *as_text(const struct model_facts *f) {
    struct text text = {0};
    char disk[BYTES_TEXT], memory[BYTES_TEXT];
    text_add(&text, "model         %s\n", f->folder);
    add_architecture(&f->model.config, &text);
    add_memory(f, &text);
    if (f->tokenizer != NULL) {
        text_add(&text, "tokenizer     %zu tokens\n", tokenizer_vocab_size(f->tokenizer));
    } else {
        text_add(&text, "tokenizer     none\n");
    }
    add_parts(f, &text);
    text_add(&text, "on disk       %s\n", bytes_text(f->file_bytes, disk));
    text_add(&text, "in memory     %s\n", bytes_text(work_kept_bytes(&f->model), memory));
    add_cost("a token, decoded after 512:    ", &f->decoded, &text);
    add_cost("a token, read with 511 others: ", &f->read, &text);
    text_add(&text, "digest        %s\n", f->digest.sha256);
    return text_take(&text);
}

static json_t *memory_json(const struct model_facts *f) {
    const struct memory_config *m = &f->model.config.memory;
    json_t *layers = json_array();
    if (m->n_layers == 0) {
        json_decref(layers);
        return json_null();
    }
    for (size_t i = 0; i < m->n_layers; i++) {
        json_array_append_new(layers, json_integer((json_int_t)m->layers[i]));
    }
    return json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "layers", layers, "placement",
                     memory_placement_names[m->placement], "slots",
                     (json_int_t)model_n_slots(&f->model.config), "tables",
                     (json_int_t)f->model.n_tables, "heads", (json_int_t)m->heads, "knn",
                     (json_int_t)m->knn, "k_dim", (json_int_t)m->k_dim, "v_dim",
                     (json_int_t)m->v_dim, "background_batches",
                     f->has_background ? json_integer((json_int_t)f->n_batches) : json_null());
}

static json_t *parts_json(const struct model_facts *f) {
    struct named_part parts[N_PARTS];
    json_t *object = json_object();
    int failed = 0;
    list_parts(&f->parts, parts);
    for (size_t i = 0; i < N_PARTS; i++) {
        failed |=
            json_object_set_new(object, parts[i].key, json_integer((json_int_t)parts[i].count));
    }
    if (failed == 0) return object;
    json_decref(object);
    return NULL;
}

static json_t *cost_json(const struct token_cost *cost) {
    return json_pack("{s:f, s:f}", "flops", cost->flops, "bytes", cost->bytes);
}

static char *as_json(const struct model_facts *f) {
    const struct model_config *c = &f->model.config;
    const size_t count = model_count(&f->model);
    json_t *root = json_pack(
        "{s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}, s:o, s:o, s:I, s:o, s:I, s:I, "
        "s:o, s:o, s:s}",
        "model", f->folder, "architecture", "n_layers", (json_int_t)c->n_layers, "dim",
        (json_int_t)c->dim, "n_heads", (json_int_t)c->n_heads, "n_kv_heads",
        (json_int_t)c->n_kv_heads, "head_dim", (json_int_t)model_head_dim(c), "hidden_dim",
        (json_int_t)model_hidden_dim(c), "vocab_size", (json_int_t)c->vocab_size, "max_seq_len",
        (json_int_t)c->max_seq_len, "tied_output", (int)c->tied_output, "memory", memory_json(f),
        "tokenizer_tokens",
        f->tokenizer == NULL ? json_null()
                             : json_integer((json_int_t)tokenizer_vocab_size(f->tokenizer)),
        "parameters", (json_int_t)count, "parameters_by_part", parts_json(f), "disk_bytes",
        (json_int_t)f->file_bytes, "memory_bytes", (json_int_t)work_kept_bytes(&f->model),
        "decoded_token", cost_json(&f->decoded), "read_token", cost_json(&f->read), "digest",
        f->digest.sha256);
    char *printed = root == NULL ? NULL : json_print(root, JSON_INDENT(2));
    json_decref(root);
    struct text text = {0};
    if (printed == NULL) return NULL;
    text_add(&text, "%s\n", printed);
    free(printed);
    return text_take(&text);
}

mneme_status model_report(const char *folder, bool json, char **report, mneme_error *error) {
    struct model_facts facts = {.folder = folder};
    *report = NULL;
    mneme_status status = read_facts(&facts, error);
    if (status == MNEME_OK) {
        *report = json ? as_json(&facts) : as_text(&facts);
        if (*report == NULL) status = error_set_memory(error, "the model's description");
    }
    close_facts(&facts);
    return status;
}
