#ifndef METHOD_METHOD_H
#define METHOD_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/error.h"
#include "model/pass.h"
#include "recipe/recipe.h"

struct teaching;

/* What one step did. */
struct method_step {
    float loss;
    bool has_norm; /* the method has a gradient norm */
    float gradient_norm;
    bool diverged; /* loss or gradient were not finite; nothing has changed */
};

/* A way to teach a model new facts. Stages, replays, digests, plans and plots loop over the table
 * of methods. A new one is a file that defines its `struct method`, its line in methods.def and its
 * keys' lines in recipe/keys.def. */
struct method {
    const char *name;      /* "smf": in recipes, folders, reports */
    const char *title;     /* "sparse memory finetuning": in plots */
    const char *colour;    /* in plots: "#2ca02c" */
    size_t rates;          /* offset of its struct recipe_rates in struct recipe_finetune */
    bool needs_background; /* teaching->background is there */
    size_t state_size;     /* of its own state, teaching->state, which is {0} before open */

    /* Opens the state and, by teaching_open_pass, the pass. On failure close is called
     * all the same. */
    mneme_status (*open)(struct teaching *teaching, mneme_error *error);
    /* Called before the batches of a lesson are made; may be NULL. */
    mneme_status (*begin_lesson)(struct teaching *teaching, size_t lesson, bool *diverged,
                                 mneme_error *error);
    /* One step on a batch. MNEME_OK with step->diverged when the numbers are not finite; any other
     * failure is an error. */
    mneme_status (*step)(struct teaching *teaching, const struct batch *batch,
                         struct method_step *step, mneme_error *error);
    /* Of what it trains; NULL: of the whole model. */
    mneme_status (*digest)(const struct teaching *teaching, struct digest *digest,
                           mneme_error *error);
    /* Makes the model what it would be if the teaching ended here, and teachable again. NULL where
     * the model is that already. */
    mneme_status (*finish)(struct teaching *teaching, mneme_error *error);
    mneme_status (*resume)(struct teaching *teaching, mneme_error *error);
    /* Keeps what it learned beside the model in `folder`, where the recipe asks for it, before the
     * last finish. May be NULL. */
    mneme_status (*keep)(const struct teaching *teaching, const char *folder, mneme_error *error);
    /* Numbers that one step can change. */
    size_t (*n_trainable)(const struct teaching *teaching);
    void (*close)(struct teaching *teaching);
};

#define METHOD(name) extern const struct method method_##name;
#include "method/methods.def"
#undef METHOD

/* All methods, in the order in which a run compares them. */
#define METHOD(name) +1
enum {
    N_METHODS = 0
#include "method/methods.def"
};
#undef METHOD
extern const struct method *const methods[N_METHODS];

/* The method of that name, or NULL. */
const struct method *method_find(const char *name);

/* The learning rates that a finetuning section gives the method. */
const struct recipe_rates *method_rates(const struct method *method,
                                        const struct recipe_finetune *finetune);
/* Leaves this method alone enabled, with this learning rate. */
void method_choose(const struct method *method, float lr, struct recipe_finetune *finetune);

/* Whether any method that the section enables needs the background. */
bool method_background_needed(const struct recipe_finetune *finetune);

#endif
