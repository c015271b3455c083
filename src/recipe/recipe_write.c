#include "base/json_write.h"
#include "recipe/recipe.h"

static const char *const schedule_names[] = {"linear", "cosine", "inverse_sqrt", "constant"};

static int set_size(json_t *object, const char *key, size_t value) {
    return json_object_set_new(object, key, json_integer((json_int_t)value));
}

static int set_float(json_t *object, const char *key, float value) {
    return json_object_set_new(object, key, json_float(value));
}

static int set_string(json_t *object, const char *key, const char *value) {
    return value == NULL ? 0 : json_object_set_new(object, key, json_string(value));
}

/* An object that is put into `parent` at once; jansson takes NULL for any object, and then fails.
 */
static json_t *inner(json_t *parent, const char *key) {
    json_t *object = json_object();
    return json_object_set_new(parent, key, object) == 0 ? object : NULL;
}

static int write_corpus(json_t *root, const struct recipe_corpus *c) {
    json_t *o = inner(root, "corpus");
    int failed = set_string(o, "world", c->world);
    failed |= set_string(o, "known", c->known);
    failed |= set_string(o, "new", c->new_questions);
    failed |= set_string(o, "skill", c->skill);
    if (c->world != NULL) {
        failed |= set_size(o, "known_entities", c->known_entities);
        failed |= set_size(o, "skill_texts", c->skill_texts);
        failed |= set_size(o, "background_texts", c->background_texts);
    } else {
        failed |= set_size(o, "max_known", c->max_known);
        failed |= set_size(o, "max_skill", c->max_skill);
    }
    failed |= set_size(o, "new_facts", c->new_facts);
    if (c->new_subjects > 0) {
        failed |= set_size(o, "new_subjects", c->new_subjects);
        failed |= set_size(o, "facts_per_chunk", c->facts_per_chunk);
        failed |= set_size(o, "rewrites", c->rewrites);
    }
    return failed | set_size(o, "skill_test_texts", c->skill_test_texts);
}

static int write_memory(json_t *model, const struct memory_config *m, size_t dim) {
    if (m->n_layers == 0) return 0;
    json_t *o = inner(model, "memory"), *layers = json_array();
    int failed = json_object_set_new(o, "layers", layers);
    for (size_t i = 0; i < m->n_layers; i++) {
        failed |= json_array_append_new(layers, json_integer((json_int_t)m->layers[i]));
    }
    failed |= set_size(o, "n_keys", m->n_keys);
    failed |= set_size(o, "heads", m->heads);
    failed |= set_size(o, "knn", m->knn);
    failed |= set_size(o, "k_dim", m->k_dim);
    failed |= set_size(o, "v_dim", m->v_dim);
    failed |= json_object_set_new(o, "share_values", json_boolean(m->share_values));
    return failed | memory_variant_write(m, dim, o);
}

static int write_model(json_t *root, const struct model_config *m) {
    json_t *o = inner(root, "model");
    int failed = set_size(o, "dim", m->dim);
    failed |= set_size(o, "n_layers", m->n_layers);
    failed |= set_size(o, "n_heads", m->n_heads);
    failed |= set_size(o, "n_kv_heads", m->n_kv_heads);
    failed |= set_size(o, "multiple_of", m->multiple_of);
    failed |= set_size(o, "max_seq_len", m->max_seq_len);
    failed |= set_float(o, "norm_eps", m->norm_eps);
    failed |= set_float(o, "rope_theta", m->rope_theta);
    failed |= json_object_set_new(o, "tied_output", json_boolean(m->tied_output));
    return failed | write_memory(o, &m->memory, m->dim);
}

static int write_pretrain(json_t *root, const struct recipe_pretrain *p) {
    json_t *o = inner(root, "pretrain");
    int failed = set_size(o, "steps", p->steps);
    failed |= set_size(o, "batch_tokens", p->batch_tokens);
    failed |= set_size(o, "micro_batches", p->micro_batches);
    failed |= set_float(o, "lr", p->lr);
    failed |= set_float(o, "values_lr", p->values_lr);
    failed |= set_float(o, "weight_decay", p->weight_decay);
    failed |= set_float(o, "values_weight_decay", p->values_weight_decay);
    failed |= set_float(o, "beta1", p->beta1);
    failed |= set_float(o, "beta2", p->beta2);
    failed |= set_float(o, "eps", p->eps);
    failed |= set_float(o, "clip", p->clip);
    failed |= set_string(o, "schedule", schedule_names[p->schedule]);
    failed |= set_size(o, "warmup", p->warmup);
    failed |= set_float(o, "lr_min_ratio", p->lr_min_ratio);
    failed |= set_size(o, "checkpoint_every", p->checkpoint_every);
    return failed | json_object_set_new(o, "keep_checkpoints", json_boolean(p->keep_checkpoints));
}

/* NULL for a method that the recipe leaves out. */
static json_t *write_method(json_t *finetune, const char *name, const struct recipe_rates *method,
                            int *failed) {
    if (!method->enabled) return NULL;
    json_t *o = inner(finetune, name), *rates = json_array();
    *failed |= json_object_set_new(o, "lr", rates);
    for (size_t i = 0; i < method->n_lr; i++) {
        *failed |= json_array_append_new(rates, json_float(method->lr[i]));
    }
    return o;
}

static int write_finetune(json_t *root, const struct recipe_finetune *f) {
    json_t *o = inner(root, "finetune");
    int failed = set_size(o, "paraphrases", f->paraphrases);
    failed |= set_size(o, "steps_per_fact", f->steps_per_fact);
    failed |= set_size(o, "digest_every", f->digest_every);
    failed |= set_size(o, "evaluate_every", f->evaluate_every);
    failed |= set_size(o, "stream_questions", f->stream_questions);
    json_t *full = write_method(o, "full", &f->full.rates, &failed);
    if (full != NULL) {
        failed |= set_float(full, "weight_decay", f->full.weight_decay);
        failed |= json_object_set_new(full, "memory_only", json_boolean(f->full.memory_only));
    }
    json_t *lora = write_method(o, "lora", &f->lora.rates, &failed);
    if (lora != NULL) {
        failed |= set_size(lora, "rank", f->lora.rank);
        failed |= set_float(lora, "alpha", f->lora.alpha);
        failed |= set_float(lora, "weight_decay", f->lora.weight_decay);
        failed |= set_size(lora, "first_layer", f->lora.first_layer);
        failed |= set_size(lora, "last_layer", f->lora.last_layer);
    }
    json_t *smf = write_method(o, "smf", &f->smf.rates, &failed);
    if (smf != NULL) {
        failed |= set_size(smf, "t", f->smf.t);
        failed |= set_string(smf, "select", slot_selection_names[f->smf.select]);
        failed |= set_string(smf, "optimizer", sparse_optimizer_names[f->smf.optimizer]);
        failed |= set_float(smf, "keys_lr", f->smf.keys_lr);
        failed |= set_string(smf, "background", background_source_names[f->smf.background]);
    }
    return failed;
}

json_t *recipe_to_json(const struct recipe *recipe) {
    json_t *root = json_object();
    int failed = set_string(root, "name", recipe->name);
    failed |= set_size(root, "seed", (size_t)recipe->seed);
    if (recipe->matmul != MATMUL_CANONICAL) {
        failed |= set_string(root, "matmul", matmul_backend_names[recipe->matmul]);
    }
    failed |= write_corpus(root, &recipe->corpus);
    failed |= set_size(inner(root, "tokenizer"), "vocab_size", recipe->vocab_size);
    failed |= write_model(root, &recipe->model);
    failed |= write_pretrain(root, &recipe->pretrain);
    json_t *background = inner(root, "background");
    failed |= set_size(background, "batches", recipe->background.batches);
    failed |= set_size(background, "batch_tokens", recipe->background.batch_tokens);
    failed |= write_finetune(root, &recipe->finetune);
    json_t *evaluate = inner(root, "evaluate");
    failed |= set_size(evaluate, "max_new_tokens", recipe->evaluate.max_new_tokens);
    failed |= set_size(evaluate, "known_questions", recipe->evaluate.known_questions);
    if (failed == 0) return root;
    json_decref(root);
    return NULL;
}
