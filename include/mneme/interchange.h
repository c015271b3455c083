#ifndef MNEME_INTERCHANGE_H
#define MNEME_INTERCHANGE_H

/* Models of other programs in and out. Formats are named "hf" (Llamas, Mistrals and Qwens as
 * folders of Hugging Face's transformers), "gguf" (the same in llama.cpp's GGUF files; import
 * only), "lingua" (Meta Lingua's checkpoints, memory layers included, as safetensors) and "llama2c"
 * (llama2.c's .bin, version 0; import only): docs/interchange.md. */

#include <stddef.h>

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mneme_interchange_result {
    size_t n_tensors;            /* read or written */
    size_t n_parameters;         /* numbers in them */
    int has_tokenizer;           /* a tokenizer.json was copied */
    char tokenizer_problem[512]; /* why an existing one was not copied, or "" */
    int lost_background;         /* import: the model's background.safetensors was not copied, since
                                  * rounded weights read other slots */
} mneme_interchange_result;

/* NULL where they are taken says none of this. */
typedef struct mneme_interchange_options {
    int replace;         /* a model that lies where the folder is to be gives way to it, whole */
    const char *adapter; /* import: a LoRA adapter of peft, a folder, that is merged; or NULL */
    const char *dtype; /* "f32", "bf16" or "f16": the type of all weights that are written, rounded
                        * to the nearest, ties to even; NULL: each tensor keeps its own */
} mneme_interchange_options;

/* Makes the model folder `folder` from the foreign model at `path` (a folder; a file for gguf and
 * llama2c). A format that is NULL is seen from the content. Weights of 16 bits stay so, and
 * quantized ones become f32. A tokenizer that mneme can read is taken along, with what says where
 * texts start and end. The folder appears whole, at the end. MNEME_BAD_INPUT, naming file and
 * place, for a model that mneme would compute differently or that is damaged, and for a folder that
 * holds something, or is the one that is read; nothing is written then. */
MNEME_API mneme_status mneme_import(const char *format, const char *path, const char *folder,
                                    const mneme_interchange_options *options,
                                    mneme_interchange_result *result, mneme_error *error);

/* Writes the model in the folder `folder` into the folder `out`, with the same cares.
 * "hf": a folder of transformers; MNEME_BAD_INPUT for a model with memory layers, which
 * transformers does not know. Importing what was exported gives the same bits. "peft": the LoRA
 * adapter that the finetuning in `folder` learned. */
MNEME_API mneme_status mneme_export(const char *format, const char *folder, const char *out,
                                    const mneme_interchange_options *options,
                                    mneme_interchange_result *result, mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
