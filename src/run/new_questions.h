#ifndef RUN_NEW_QUESTIONS_H
#define RUN_NEW_QUESTIONS_H

#include "run/experiment.h"

/* New facts that the model in the recipe's base does not know (`corpus.new_unknown`): the corpus
 * keeps the first `corpus.new_facts` whose question it answers with an F1 of 0, greedily and asked
 * as the recipe says, and a note that says how many were asked. They are asked once, up to the last
 * that is kept: new-questions.jsonl in the folder has a line of answers.h for each. Needs corpus,
 * tokenizer and model_texts. Does nothing where the recipe does not want it. */
mneme_status new_questions_choose(struct experiment *experiment, mneme_error *error);

#endif
