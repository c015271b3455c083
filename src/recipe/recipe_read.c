#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/path.h"
#include "recipe/recipe.h"
#include "recipe/recipe_file.h"

#define MOST ((size_t)1 << 40) /* a bound for counts that have no other */
#define LARGE 1e30f

static const char *const schedule_names[] = {"linear", "cosine", "inverse_sqrt", "constant"};
const char *const background_source_names[BACKGROUND_SOURCE_COUNT] = {"pretraining", "known"};

/* DESIGN's defaults: MLS for training, SMF for the paper's method. */
static const struct recipe defaults = {
    .seed = 1,
    .vocab_size = 512,
    .corpus = {.new_facts = 50, .facts_per_chunk = 2, .rewrites = 64, .skill_test_texts = 100},
    .model = {.multiple_of = 32, .norm_eps = 1e-5f, .rope_theta = 10000.0f},
    .pretrain = {.micro_batches = 1,
                 .lr = 1e-3f,
                 .values_lr = 1e-3f,
                 .weight_decay = 0.1f,
                 .values_weight_decay = 0.1f,
                 .beta1 = 0.9f,
                 .beta2 = 0.95f,
                 .eps = 1e-8f,
                 .clip = 1.0f,
                 .schedule = SCHEDULE_COSINE,
                 .lr_min_ratio = 0.1f,
                 .checkpoint_every = 100},
    .background = {.batches = 1000},
    .finetune = {.paraphrases = 64,
                 .steps_per_fact = 1,
                 .digest_every = 100,
                 .lora.rank = 8,
                 .lora.alpha = 16.0f,
                 .lora.last_layer = SIZE_MAX,
                 .smf.t = 500},
    .evaluate = {.max_new_tokens = 16},
};

#define COUNT(names) (sizeof(names) / sizeof *(names))
/* Where the texts are: a world, or three files of questions. */
static mneme_status read_sources(const struct json_place *at, struct recipe_corpus *c,
                                 mneme_error *error) {
    TRY(json_get_string(at, "world", KEY_OPTIONAL, &c->world, error));
    TRY(json_get_string(at, "known", KEY_OPTIONAL, &c->known, error));
    TRY(json_get_string(at, "new", KEY_OPTIONAL, &c->new_questions, error));
    TRY(json_get_string(at, "skill", KEY_OPTIONAL, &c->skill, error));
    if ((c->world != NULL) == (c->known != NULL)) {
        return json_refuse(at, "world", error, "give either `world` or `known`, `new` and `skill`");
    }
    if (c->known != NULL && (c->new_questions == NULL || c->skill == NULL)) {
        return json_refuse(at, "known", error, "goes together with `new` and `skill`");
    }
    return MNEME_OK;
}

static mneme_status read_documents(const struct json_place *at, struct recipe_corpus *c,
                                   mneme_error *error) {
    TRY(json_get_size(at, "new_subjects", KEY_OPTIONAL, 0, 10000000, &c->new_subjects, error));
    TRY(json_get_size(at, "facts_per_chunk", KEY_OPTIONAL, 1, 65536, &c->facts_per_chunk, error));
    TRY(json_get_size(at, "rewrites", KEY_OPTIONAL, 1, 65536, &c->rewrites, error));
    if (c->world != NULL || c->new_subjects == 0) return MNEME_OK;
    return json_refuse(at, "new_subjects", error, "needs a `world`");
}

static mneme_status read_corpus(const struct json_place *root, struct recipe_corpus *c,
                                mneme_error *error) {
    static const char *const known[] = {
        "world",           "known_entities", "skill_texts",      "known",           "new",
        "skill",           "max_known",      "max_skill",        "new_facts",       "new_subjects",
        "facts_per_chunk", "rewrites",       "skill_test_texts", "background_texts"};
    struct json_place at;
    TRY(json_get_object(root, "corpus", KEY_REQUIRED, &at, error));
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(read_sources(&at, c, error));
    enum key_need of_world = c->world != NULL ? KEY_REQUIRED : KEY_OPTIONAL;
    TRY(json_get_size(&at, "known_entities", of_world, 1, 10000000, &c->known_entities, error));
    TRY(json_get_size(&at, "skill_texts", KEY_OPTIONAL, 0, 10000000, &c->skill_texts, error));
    TRY(json_get_size(&at, "background_texts", KEY_OPTIONAL, 0, 10000000, &c->background_texts,
                      error));
    TRY(json_get_size(&at, "max_known", KEY_OPTIONAL, 0, MOST, &c->max_known, error));
    TRY(json_get_size(&at, "max_skill", KEY_OPTIONAL, 0, MOST, &c->max_skill, error));
    TRY(json_get_size(&at, "new_facts", KEY_OPTIONAL, 1, 10000000, &c->new_facts, error));
    TRY(read_documents(&at, c, error));
    return json_get_size(&at, "skill_test_texts", KEY_OPTIONAL, 0, 10000000, &c->skill_test_texts,
                         error);
}

static mneme_status read_memory(const struct json_place *model, struct memory_config *m, size_t dim,
                                mneme_error *error) {
    static const char *const known[] = {"layers", "n_keys", "heads",        "knn",
                                        "k_dim",  "v_dim",  "share_values", MEMORY_VARIANT_KEYS};
    struct json_place at;
    TRY(json_get_object(model, "memory", KEY_OPTIONAL, &at, error));
    if (at.object == NULL) return MNEME_OK;
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(json_get_sizes(&at, "layers", KEY_REQUIRED, 0, 1023, m->layers, MODEL_MAX_MEMORY_LAYERS,
                       &m->n_layers, error));
    TRY(json_get_size(&at, "n_keys", KEY_REQUIRED, 1, 65536, &m->n_keys, error));
    m->heads = 4;
    m->knn = 32;
    m->v_dim = dim;
    TRY(json_get_size(&at, "heads", KEY_OPTIONAL, 1, 1024, &m->heads, error));
    TRY(json_get_size(&at, "knn", KEY_OPTIONAL, 1, 256, &m->knn, error));
    TRY(json_get_size(&at, "k_dim", KEY_REQUIRED, 2, 65536, &m->k_dim, error));
    TRY(json_get_size(&at, "v_dim", KEY_OPTIONAL, 1, 65536, &m->v_dim, error));
    TRY(json_get_bool(&at, "share_values", KEY_OPTIONAL, &m->share_values, error));
    return memory_variant_read(&at, dim, m, error);
}

static mneme_status read_model(const struct json_place *root, struct model_config *m,
                               mneme_error *error) {
    static const char *const known[] = {"dim",         "n_layers",    "n_heads",  "n_kv_heads",
                                        "multiple_of", "max_seq_len", "norm_eps", "rope_theta",
                                        "tied_output", "memory"};
    struct json_place at;
    TRY(json_get_object(root, "model", KEY_REQUIRED, &at, error));
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(json_get_size(&at, "dim", KEY_REQUIRED, 1, 65536, &m->dim, error));
    TRY(json_get_size(&at, "n_layers", KEY_REQUIRED, 1, 1024, &m->n_layers, error));
    TRY(json_get_size(&at, "n_heads", KEY_REQUIRED, 1, 1024, &m->n_heads, error));
    m->n_kv_heads = m->n_heads;
    TRY(json_get_size(&at, "n_kv_heads", KEY_OPTIONAL, 1, 1024, &m->n_kv_heads, error));
    TRY(json_get_size(&at, "multiple_of", KEY_OPTIONAL, 1, 65536, &m->multiple_of, error));
    TRY(json_get_size(&at, "max_seq_len", KEY_REQUIRED, 2, 65536, &m->max_seq_len, error));
    TRY(json_get_float(&at, "norm_eps", KEY_OPTIONAL, 0.0f, 1.0f, &m->norm_eps, error));
    TRY(json_get_float(&at, "rope_theta", KEY_OPTIONAL, 1.0f, LARGE, &m->rope_theta, error));
    TRY(json_get_bool(&at, "tied_output", KEY_OPTIONAL, &m->tied_output, error));
    return read_memory(&at, &m->memory, m->dim, error);
}

static mneme_status read_schedule(const struct json_place *at, struct recipe_pretrain *p,
                                  mneme_error *error) {
    size_t kind = (size_t)p->schedule;
    TRY(json_get_choice(at, "schedule", KEY_OPTIONAL, schedule_names, COUNT(schedule_names), &kind,
                        error));
    p->schedule = (enum schedule_kind)kind;
    TRY(json_get_size(at, "warmup", KEY_OPTIONAL, 0, MOST, &p->warmup, error));
    return json_get_float(at, "lr_min_ratio", KEY_OPTIONAL, 0.0f, 1.0f, &p->lr_min_ratio, error);
}

static mneme_status read_pretrain(const struct json_place *root, struct recipe_pretrain *p,
                                  mneme_error *error) {
    static const char *const known[] = {"steps",
                                        "batch_tokens",
                                        "micro_batches",
                                        "lr",
                                        "values_lr",
                                        "beta1",
                                        "beta2",
                                        "eps",
                                        "clip",
                                        "weight_decay",
                                        "values_weight_decay",
                                        "schedule",
                                        "warmup",
                                        "lr_min_ratio",
                                        "checkpoint_every",
                                        "keep_checkpoints"};
    struct json_place at;
    TRY(json_get_object(root, "pretrain", KEY_REQUIRED, &at, error));
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(json_get_size(&at, "steps", KEY_REQUIRED, 1, MOST, &p->steps, error));
    TRY(json_get_size(&at, "batch_tokens", KEY_REQUIRED, 1, (size_t)1 << 24, &p->batch_tokens,
                      error));
    TRY(json_get_size(&at, "micro_batches", KEY_OPTIONAL, 1, 65536, &p->micro_batches, error));
    TRY(json_get_float(&at, "lr", KEY_OPTIONAL, 0.0f, LARGE, &p->lr, error));
    TRY(json_get_float(&at, "values_lr", KEY_OPTIONAL, 0.0f, LARGE, &p->values_lr, error));
    TRY(json_get_float(&at, "weight_decay", KEY_OPTIONAL, 0.0f, LARGE, &p->weight_decay, error));
    TRY(json_get_float(&at, "values_weight_decay", KEY_OPTIONAL, 0.0f, LARGE,
                       &p->values_weight_decay, error));
    TRY(json_get_float(&at, "beta1", KEY_OPTIONAL, 0.0f, 0.9999f, &p->beta1, error));
    TRY(json_get_float(&at, "beta2", KEY_OPTIONAL, 0.0f, 0.9999f, &p->beta2, error));
    TRY(json_get_float(&at, "eps", KEY_OPTIONAL, 1e-30f, 1.0f, &p->eps, error));
    TRY(json_get_float(&at, "clip", KEY_OPTIONAL, 0.0f, LARGE, &p->clip, error));
    TRY(json_get_size(&at, "checkpoint_every", KEY_OPTIONAL, 0, MOST, &p->checkpoint_every, error));
    TRY(json_get_bool(&at, "keep_checkpoints", KEY_OPTIONAL, &p->keep_checkpoints, error));
    return read_schedule(&at, p, error);
}

/* The learning rates that a method is tried with; they must ascend. */
static mneme_status read_rates(const struct json_place *at, struct recipe_rates *method,
                               mneme_error *error) {
    TRY(json_get_floats(at, "lr", KEY_REQUIRED, 1e-30f, LARGE, method->lr, RECIPE_MAX_VALUES,
                        &method->n_lr, error));
    if (method->n_lr == 0) return json_refuse(at, "lr", error, "is an empty list");
    for (size_t i = 1; i < method->n_lr; i++) {
        if (!(method->lr[i] > method->lr[i - 1])) {
            return json_refuse(at, "lr", error, "must ascend");
        }
    }
    method->enabled = true;
    return MNEME_OK;
}

static mneme_status read_full(const struct json_place *finetune, struct recipe_finetune *f,
                              size_t n_memory_layers, mneme_error *error) {
    static const char *const known[] = {"lr", "weight_decay", "memory_only"};
    struct json_place at;
    TRY(json_get_object(finetune, "full", KEY_OPTIONAL, &at, error));
    if (at.object == NULL) return MNEME_OK;
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(json_get_float(&at, "weight_decay", KEY_OPTIONAL, 0.0f, LARGE, &f->full.weight_decay,
                       error));
    TRY(json_get_bool(&at, "memory_only", KEY_OPTIONAL, &f->full.memory_only, error));
    if (f->full.memory_only && n_memory_layers == 0) {
        return json_refuse(&at, "memory_only", error, "needs a model with `model.memory`");
    }
    return read_rates(&at, &f->full.rates, error);
}

static mneme_status read_lora(const struct json_place *finetune, struct recipe_finetune *f,
                              size_t n_layers, mneme_error *error) {
    static const char *const known[] = {"lr",           "rank",        "alpha",
                                        "weight_decay", "first_layer", "last_layer"};
    struct json_place at;
    f->lora.last_layer = n_layers - 1;
    TRY(json_get_object(finetune, "lora", KEY_OPTIONAL, &at, error));
    if (at.object == NULL) return MNEME_OK;
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(json_get_size(&at, "rank", KEY_OPTIONAL, 1, 4096, &f->lora.rank, error));
    TRY(json_get_float(&at, "alpha", KEY_OPTIONAL, 0.0f, LARGE, &f->lora.alpha, error));
    TRY(json_get_float(&at, "weight_decay", KEY_OPTIONAL, 0.0f, LARGE, &f->lora.weight_decay,
                       error));
    TRY(json_get_size(&at, "first_layer", KEY_OPTIONAL, 0, n_layers - 1, &f->lora.first_layer,
                      error));
    TRY(json_get_size(&at, "last_layer", KEY_OPTIONAL, f->lora.first_layer, n_layers - 1,
                      &f->lora.last_layer, error));
    return read_rates(&at, &f->lora.rates, error);
}

static mneme_status read_smf(const struct json_place *finetune, struct recipe *recipe,
                             mneme_error *error) {
    static const char *const known[] = {"lr", "t", "select", "optimizer", "keys_lr", "background"};
    struct json_place at;
    struct recipe_finetune *f = &recipe->finetune;
    size_t select = (size_t)f->smf.select, optimizer = (size_t)f->smf.optimizer;
    size_t background = (size_t)f->smf.background;
    TRY(json_get_object(finetune, "smf", KEY_OPTIONAL, &at, error));
    if (at.object == NULL) return MNEME_OK;
    if (recipe->model.memory.n_layers == 0) {
        return json_refuse(finetune, "smf", error, "needs a model with `model.memory`");
    }
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(json_get_size(&at, "t", KEY_OPTIONAL, 1, (size_t)1 << 31, &f->smf.t, error));
    TRY(json_get_choice(&at, "select", KEY_OPTIONAL, slot_selection_names, SLOT_SELECTION_COUNT,
                        &select, error));
    TRY(json_get_choice(&at, "optimizer", KEY_OPTIONAL, sparse_optimizer_names,
                        SPARSE_OPTIMIZER_COUNT, &optimizer, error));
    TRY(json_get_float(&at, "keys_lr", KEY_OPTIONAL, 0.0f, LARGE, &f->smf.keys_lr, error));
    TRY(json_get_choice(&at, "background", KEY_OPTIONAL, background_source_names,
                        BACKGROUND_SOURCE_COUNT, &background, error));
    f->smf.select = (enum slot_selection)select;
    f->smf.optimizer = (enum sparse_optimizer)optimizer;
    f->smf.background = (enum background_source)background;
    return read_rates(&at, &f->smf.rates, error);
}

static mneme_status read_finetune(const struct json_place *root, struct recipe *recipe,
                                  mneme_error *error) {
    static const char *const known[] = {
        "paraphrases",      "steps_per_fact", "digest_every", "evaluate_every",
        "stream_questions", "full",           "lora",         "smf"};
    struct recipe_finetune *f = &recipe->finetune;
    struct json_place at;
    TRY(json_get_object(root, "finetune", KEY_REQUIRED, &at, error));
    TRY(json_check_keys(&at, known, COUNT(known), error));
    TRY(json_get_size(&at, "paraphrases", KEY_OPTIONAL, 1, 65536, &f->paraphrases, error));
    TRY(json_get_size(&at, "steps_per_fact", KEY_OPTIONAL, 1, 65536, &f->steps_per_fact, error));
    TRY(json_get_size(&at, "digest_every", KEY_OPTIONAL, 0, MOST, &f->digest_every, error));
    TRY(json_get_size(&at, "evaluate_every", KEY_OPTIONAL, 0, MOST, &f->evaluate_every, error));
    TRY(json_get_size(&at, "stream_questions", KEY_OPTIONAL, 0, MOST, &f->stream_questions, error));
    TRY(read_full(&at, f, recipe->model.memory.n_layers, error));
    TRY(read_lora(&at, f, recipe->model.n_layers, error));
    TRY(read_smf(&at, recipe, error));
    if (!f->full.rates.enabled && !f->lora.rates.enabled && !f->smf.rates.enabled) {
        return json_refuse(root, "finetune", error, "needs `full`, `lora` or `smf`");
    }
    return MNEME_OK;
}

static mneme_status read_small_objects(const struct json_place *root, struct recipe *recipe,
                                       mneme_error *error) {
    static const char *const of_tokenizer[] = {"vocab_size"};
    static const char *const of_background[] = {"batches", "batch_tokens"};
    static const char *const of_evaluate[] = {"max_new_tokens", "known_questions"};
    struct json_place at;
    TRY(json_get_object(root, "tokenizer", KEY_OPTIONAL, &at, error));
    TRY(json_check_keys(&at, of_tokenizer, COUNT(of_tokenizer), error));
    TRY(json_get_size(&at, "vocab_size", KEY_OPTIONAL, 257, (size_t)1 << 20, &recipe->vocab_size,
                      error));
    TRY(json_get_object(root, "background", KEY_OPTIONAL, &at, error));
    TRY(json_check_keys(&at, of_background, COUNT(of_background), error));
    TRY(json_get_size(&at, "batches", KEY_OPTIONAL, 1, (size_t)1 << 30, &recipe->background.batches,
                      error));
    TRY(json_get_size(&at, "batch_tokens", KEY_OPTIONAL, 0, (size_t)1 << 24,
                      &recipe->background.batch_tokens, error));
    TRY(json_get_object(root, "evaluate", KEY_OPTIONAL, &at, error));
    TRY(json_check_keys(&at, of_evaluate, COUNT(of_evaluate), error));
    TRY(json_get_size(&at, "max_new_tokens", KEY_OPTIONAL, 1, 4096,
                      &recipe->evaluate.max_new_tokens, error));
    return json_get_size(&at, "known_questions", KEY_OPTIONAL, 0, MOST,
                         &recipe->evaluate.known_questions, error);
}

/* The name goes into file names, reports and plots. */
static mneme_status check_name(const struct json_place *root, const char *name,
                               mneme_error *error) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(name);
    if (length >= 1 && length <= 64 && strspn(name, allowed) == length) return MNEME_OK;
    return json_refuse(root, "name", error, "must be 1 to 64 letters, digits, `-`, `_` or `.`");
}

static mneme_status read_all(const json_t *object, struct recipe *recipe, mneme_error *error) {
    /* The recipe in a run folder has the digests of its inputs too; identity.c compares them.
     * sweep_plan.c reads `sweep`. */
    static const char *const known[] = {"name",     "seed",         "corpus",     "tokenizer",
                                        "model",    "pretrain",     "background", "finetune",
                                        "evaluate", "input_sha256", "matmul",     "sweep"};
    struct json_place root;
    size_t seed = (size_t)recipe->seed, matmul = (size_t)recipe->matmul;
    TRY(json_place_root(object, recipe->path, &root, error));
    TRY(json_check_keys(&root, known, COUNT(known), error));
    TRY(json_get_string(&root, "name", KEY_REQUIRED, &recipe->name, error));
    TRY(check_name(&root, recipe->name, error));
    TRY(json_get_size(&root, "seed", KEY_OPTIONAL, 0, (size_t)1 << 62, &seed, error));
    recipe->seed = seed;
    TRY(json_get_choice(&root, "matmul", KEY_OPTIONAL, matmul_backend_names,
                        COUNT(matmul_backend_names), &matmul, error));
    recipe->matmul = (enum matmul_backend)matmul;
    TRY(read_corpus(&root, &recipe->corpus, error));
    TRY(read_small_objects(&root, recipe, error));
    TRY(read_model(&root, &recipe->model, error));
    TRY(read_pretrain(&root, &recipe->pretrain, error));
    TRY(read_finetune(&root, recipe, error));
    recipe->model.vocab_size = recipe->vocab_size;
    return model_config_check(&recipe->model, recipe->path, error);
}

/* Replaces a relative path by the first of: itself, from the recipe's folder, from the recipes of
 * the source tree that is worked in, from the installed ones; as it is if none of them is there,
 * for the message that will name it. */
static mneme_status find_file(char **path, const char *recipe, mneme_error *error) {
    if (*path == NULL || file_exists(*path)) return MNEME_OK;
    char *folder = path_folder(recipe);
    char *candidates[3] = {folder == NULL ? NULL : path_join(folder, *path),
                           path_join("data/recipes", *path),
                           path_join(MNEME_DATADIR "/recipes", *path)};
    mneme_status status =
        folder == NULL || candidates[0] == NULL || candidates[1] == NULL || candidates[2] == NULL
            ? error_set_memory(error, "a path")
            : MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < COUNT(candidates); i++) {
        if (!file_exists(candidates[i])) continue;
        free(*path);
        *path = candidates[i];
        candidates[i] = NULL;
        break;
    }
    for (size_t i = 0; i < COUNT(candidates); i++) free(candidates[i]);
    free(folder);
    return status;
}

mneme_status recipe_from_json(const json_t *object, const char *path, struct recipe *recipe,
                              mneme_error *error) {
    *recipe = defaults;
    recipe->path = strdup(path);
    mneme_status status =
        recipe->path == NULL ? error_set_memory(error, path) : read_all(object, recipe, error);
    THEN(find_file(&recipe->corpus.world, path, error));
    THEN(find_file(&recipe->corpus.known, path, error));
    THEN(find_file(&recipe->corpus.new_questions, path, error));
    THEN(find_file(&recipe->corpus.skill, path, error));
    if (status != MNEME_OK) recipe_free(recipe);
    return status;
}

mneme_status recipe_load(const char *path, const char *const *overrides, size_t n_overrides,
                         struct recipe *recipe, mneme_error *error) {
    json_t *object;
    TRY(recipe_file_read(path, overrides, n_overrides, &object, error));
    mneme_status status = recipe_from_json(object, path, recipe, error);
    json_decref(object);
    return status;
}

void recipe_free(struct recipe *recipe) {
    free(recipe->path);
    free(recipe->name);
    free(recipe->corpus.world);
    free(recipe->corpus.known);
    free(recipe->corpus.new_questions);
    free(recipe->corpus.skill);
    *recipe = (struct recipe){0};
}
