#ifndef FOLDER_FOLDER_H
#define FOLDER_FOLDER_H

/* What lies in a run folder: every name, once.
 *
 *   mneme.lock                        there while a process is at work (base/file_lock.h), and
 *                                     after kill -9; no file of the run
 *
 *   SHA256SUMS                        digests of all other files that are finished (manifest.h)
 *   recipe.json, inputs.json          whose folder it is (recipe/identity.h)
 *   tokenizer.json                    learned from the run's own texts
 *   new-questions.jsonl               what the model in the recipe's base says to new questions
 *                                     (run/new_questions.h)
 *   text.safetensors, held-out-text.safetensors
 *                                     the recipe's text as tokens (packed_file.h)
 *   pretrain/                         trail and checkpoints of the pretraining
 *   base/                             the pretrained model, its background, scores and answers
 *   background.safetensors            which slots ordinary text reads (background_stage.h)
 *   finetune/METHOD/lr-RATE/          a finetuning of `mneme run`: trail, stream, scores, answers,
 *                                     model
 *   cells/METHOD-ID/                  a finetuning of `mneme sweep`: the same without the model,
 *                                     and cell.json, which says what its settings are
 *   sweep-recipe.json                 what a sweep ran, to make its report from the cells again
 *   slots/                            what `mneme slots` found
 */
#define FOLDER_LOCK "mneme.lock"
#define FOLDER_MANIFEST "SHA256SUMS"
#define FOLDER_TOKENIZER "tokenizer.json"
#define FOLDER_NEW_QUESTIONS "new-questions.jsonl"
#define FOLDER_TEXT "text.safetensors"
#define FOLDER_HELD_OUT_TEXT "held-out-text.safetensors"
#define FOLDER_PRETRAIN "pretrain"
#define FOLDER_BASE "base"
#define FOLDER_BACKGROUND "background.safetensors"
#define FOLDER_BACKGROUND_KNOWN "background-known.safetensors"
#define FOLDER_FINETUNE "finetune"
#define FOLDER_CELLS "cells"
#define FOLDER_SLOTS "slots"
#define FOLDER_SWEEP_RECIPE "sweep-recipe.json"

/* In the folder of a stage or cell. */
#define FOLDER_TRAIL "trail.jsonl"
#define FOLDER_STREAM "stream.jsonl"
#define FOLDER_SCORES "scores.json"
#define FOLDER_ANSWERS "answers.jsonl"
#define FOLDER_MODEL "model.safetensors"
#define FOLDER_CELL "cell.json"

#endif
