#include "run/experiment.h"

#include "base/text.h"
#include "data/asking.h"

bool experiment_is_worded(const struct experiment *experiment) {
    const struct recipe *recipe = &experiment->recipe;
    return recipe->corpus.wordings != NULL || recipe->base != NULL;
}

static mneme_status open_questions(struct experiment *experiment,
                                   const struct question_sources *sources, mneme_error *error) {
    struct question_sources worded = *sources;
    struct wordings wordings = {0};
    mneme_status status = MNEME_OK;
    if (experiment_is_worded(experiment)) {
        worded.wordings = &wordings;
        status = wordings_load(experiment->recipe.corpus.wordings, &wordings, error);
    }
    THEN(corpus_from_questions(&worded, &experiment->corpus, error));
    wordings_free(&wordings);
    return status;
}

static mneme_status open_corpus(struct experiment *experiment, mneme_error *error) {
    const struct recipe_corpus *from = &experiment->recipe.corpus;
    if (from->world != NULL) {
        struct world_sizes sizes = {.known_entities = from->known_entities,
                                    .fresh_facts = from->new_facts,
                                    .fresh_subjects = from->new_subjects,
                                    .facts_per_chunk = from->facts_per_chunk,
                                    .rewrites = from->rewrites,
                                    .skill_texts = from->skill_texts,
                                    .skill_test_texts = from->skill_test_texts,
                                    .background_texts = from->background_texts};
        return corpus_from_world(from->world, &sizes, experiment->recipe.seed, &experiment->corpus,
                                 error);
    }
    struct question_sources sources = {.known = from->known,
                                       .fresh = from->new,
                                       .skill = from->skill,
                                       .max_known = from->max_known,
                                       .max_fresh = from->new_unknown ? 0 : from->new_facts,
                                       .max_skill = from->max_skill,
                                       .n_skill_test = from->skill_test_texts};
    return open_questions(experiment, &sources, error);
}

/* Asks the facts as the recipe says. */
static mneme_status ask_facts(struct experiment *experiment, mneme_error *error) {
    const struct recipe *recipe = &experiment->recipe;
    const struct path place = path_in("", "%s: key `evaluate.prompt`", recipe->path);
    const struct corpus_asking asking = {.prompt = recipe->evaluate.prompt,
                                         .place = place.text,
                                         .n_shots = recipe->evaluate.shots,
                                         .n_fresh_shots = recipe->evaluate.new_shots,
                                         .shots_from = recipe->evaluate.shots_from};
    experiment->answer_lines =
        asking.prompt != NULL || asking.n_shots + asking.n_fresh_shots > 0 || recipe->base != NULL;
    return experiment->answer_lines ? corpus_ask(&experiment->corpus, &asking, error) : MNEME_OK;
}

mneme_status experiment_open_corpus(struct experiment *experiment, mneme_error *error) {
    TRY(open_corpus(experiment, error));
    return ask_facts(experiment, error);
}
