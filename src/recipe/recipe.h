#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "model/config.h"
#include "nn/matmul_backend.h"
#include "smf/sparse_step.h"
#include "train/schedule.h"

/* A recipe: everything that decides a run's numbers. docs/recipes.md documents every key. */

#define RECIPE_MAX_VALUES 16

/* Where the texts come from: a fact world, or question files (exactly one of the two). */
struct recipe_corpus {
    char *world;             /* path of a world description, or NULL */
    size_t known_entities;   /* world: entities whose facts pretraining teaches */
    size_t skill_texts;      /* world: skill texts in training */
    size_t background_texts; /* world: other texts in training */
    char *known;             /* questions: path of the known questions, or NULL */
    char *new_questions;     /* questions: path of the new ones (key `new`) */
    char *skill;             /* questions: path of the skill's texts */
    size_t max_known;        /* questions: take the first n; 0 = all */
    size_t max_skill;        /* questions: take the first n; 0 = all */
    size_t new_facts;        /* how many new facts are taught */
    size_t new_subjects;     /* world: instead, documents about this many new entities are taught */
    size_t facts_per_chunk;  /* world: consecutive facts of a subject in a chunk of its document */
    size_t rewrites;         /* world: texts that say what a chunk says */
    size_t skill_test_texts; /* skill texts held out for the NLL */
};

struct recipe_pretrain {
    size_t steps;
    size_t batch_tokens;  /* a step's texts are filled up to this many tokens */
    size_t micro_batches; /* a step's gradient is accumulated over this many parts */
    float lr;
    float values_lr; /* base learning rate of the memory values */
    float weight_decay;
    float values_weight_decay;
    float beta1, beta2, eps;
    float clip; /* global gradient norm; 0: none */
    enum schedule_kind schedule;
    size_t warmup;
    float lr_min_ratio;      /* final lr as a fraction of lr (linear, cosine) */
    size_t checkpoint_every; /* steps; 0: only at the end */
    bool keep_checkpoints;   /* all of them, for replaying a window of steps */
};

struct recipe_background {
    size_t batches;      /* |B| */
    size_t batch_tokens; /* per batch; 0: as in pretraining */
};

/* The learning rates that a method is tried with: one run each. */
struct recipe_rates {
    bool enabled; /* the recipe has the method */
    float lr[RECIPE_MAX_VALUES];
    size_t n_lr;
};

/* Which texts TF-IDF and KL selection compare a batch with. */
enum background_source { BACKGROUND_PRETRAINING, BACKGROUND_KNOWN, BACKGROUND_SOURCE_COUNT };

/* "pretraining", "known" */
extern const char *const background_source_names[BACKGROUND_SOURCE_COUNT];

struct recipe_full {
    struct recipe_rates rates;
    float weight_decay;
    bool memory_only; /* the memory layers' parameters alone */
};

struct recipe_lora {
    struct recipe_rates rates;
    size_t rank;
    float alpha;
    float weight_decay;
    size_t first_layer; /* layers [first, last] get adapters; last = SIZE_MAX: to the end */
    size_t last_layer;
};

struct recipe_smf {
    struct recipe_rates rates;
    size_t t; /* trainable slots per step */
    enum slot_selection select;
    enum sparse_optimizer optimizer;
    float keys_lr; /* 0: keys are frozen */
    enum background_source background;
};

struct recipe_finetune {
    size_t paraphrases;      /* texts of one fact (or chunk) in a batch */
    size_t steps_per_fact;   /* on that fact's (or chunk's) batches, before the next one */
    size_t digest_every;     /* steps; the trail has a digest there and at the end; 0: only there */
    size_t evaluate_every;   /* facts (or chunks) between evaluations along the stream; 0: none */
    size_t stream_questions; /* of these evaluations: the first n known facts; 0: all */
    struct recipe_full full;
    struct recipe_lora lora;
    struct recipe_smf smf;
};

struct recipe_evaluate {
    size_t max_new_tokens;  /* greedy continuation at most this long */
    size_t known_questions; /* ask the first n known facts; 0: all */
};

struct recipe {
    char *path; /* for messages */
    char *name;
    uint64_t seed;
    enum matmul_backend matmul; /* whose dense products */
    struct recipe_corpus corpus;
    size_t vocab_size;
    struct model_config model; /* vocab_size is set from the trained tokenizer */
    struct recipe_pretrain pretrain;
    struct recipe_background background;
    struct recipe_finetune finetune;
    struct recipe_evaluate evaluate;
};

/* Reads a recipe file, with those that it `extends` (recipe_file.h), and applies the overrides
 * ("pretrain.steps=100", values parsed as JSON and otherwise taken as strings). Unknown keys, wrong
 * types, values out of range and sizes that do not fit each other are refused with MNEME_BAD_INPUT;
 * the message names file and dotted key. A relative path in the recipe is resolved against the
 * working directory, and where nothing is there against the recipe's own folder and then `data/`
 * (so that a recipe runs from anywhere). */
mneme_status recipe_load(const char *path, const char *const *overrides, size_t n_overrides,
                         struct recipe *recipe, mneme_error *error);
/* The same of an object that recipe_file_read made of the file at `path`. */
mneme_status recipe_from_json(const json_t *object, const char *path, struct recipe *recipe,
                              mneme_error *error);
void recipe_free(struct recipe *recipe);

/* The recipe with every default filled in; the same text for the same recipe. The caller owns it.
 */
json_t *recipe_to_json(const struct recipe *recipe);

#endif
