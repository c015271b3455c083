#ifndef INTERCHANGE_PEFT_H
#define INTERCHANGE_PEFT_H

#include <mneme/interchange.h>

#include "model/model.h"

/* LoRA adapters as Hugging Face's peft keeps them: a folder with adapter_config.json and
 * adapter_model.safetensors. */

/* Adds the adapter in the folder to the model's weights: W += scale * (B A), as merge_and_unload
 * does, scale being lora_alpha / r, or lora_alpha / sqrt(r) with use_rslora; rank_pattern and
 * alpha_pattern are followed. MNEME_BAD_INPUT for what is no plain LoRA of the model's linear
 * layers; the weights may have changed then. */
mneme_status peft_merge(const char *folder, struct model *model, mneme_error *error);

/* Writes the adapter that a LoRA finetuning left in its folder (finetune.lora.keep_adapter) into
 * `out`. MNEME_BAD_INPUT where there is none, or its bytes are not those that were written. */
mneme_status peft_save(const char *folder, const char *out, mneme_interchange_result *result,
                       mneme_error *error);

#endif
