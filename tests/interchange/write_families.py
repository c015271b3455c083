"""Writes the small models of tests/interchange/families with Hugging Face's transformers, and the
logits that it computes: one for each family and option. What a version of transformers writes is
written by it: run this with version 4 and with version 5. Needs torch, transformers, safetensors
and gguf.

  write_families.py FOLDER

A folder has config.json, the weights (in shards, f32, f16 or bf16), logits.safetensors with tokens,
logits in float32 and float64 and, as metadata, the largest error of float32 in 16 such models, and
model.gguf, the same weights by the package `gguf` as llama.cpp's converter writes them.
"""

import math
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, quants
from safetensors.torch import save_file

TRIALS, SEQUENCES, LENGTH = 16, 2, 24
SMALL = {"vocab_size": 32, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128,
         "rms_norm_eps": 1e-6, "bos_token_id": 1, "eos_token_id": 2}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
# name: version, family, type of the weights, shards, options
MODELS = {
    "llama-biases": (4, "Llama", torch.float32, 1,
                     {"attention_bias": True, "mlp_bias": True, "rope_theta": 500.0}),
    "llama-head-dim": (4, "Llama", torch.float16, 1,
                       {"head_dim": 6, "tie_word_embeddings": True, "rope_theta": 500.0}),
    "llama-linear": (4, "Llama", torch.bfloat16, 3,
                     {"rope_scaling": {"type": "linear", "factor": 2.5}, "rope_theta": 500.0}),
    "llama-llama3": (5, "Llama", torch.bfloat16, 1,
                     {"head_dim": 16, "rope_parameters": LLAMA3 | {"rope_theta": 100.0}}),
    "mistral": (5, "Mistral", torch.float16, 1, {"head_dim": 6, "sliding_window": None}),
    "qwen2-v4": (4, "Qwen2", torch.bfloat16, 2,
                 {"tie_word_embeddings": True, "rope_theta": 1000.0}),
    "qwen2-v5": (5, "Qwen2", torch.float32, 1, {}),
    "qwen3-v4": (4, "Qwen3", torch.bfloat16, 1,
                 {"head_dim": 4, "attention_bias": True, "rope_theta": 1000.0}),
    "qwen3-v5": (5, "Qwen3", torch.float16, 1,
                 {"head_dim": 8, "tie_word_embeddings": True}),
}


def build(family, options, dtype, seed):
    """A model of random weights that its type holds exactly, in float32."""
    torch.manual_seed(seed)
    config = getattr(transformers, family + "Config")(**(SMALL | options))
    model = getattr(transformers, family + "ForCausalLM")(config).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.normal_(0, 1.5 * parameter.shape[1] ** -0.5)
            else:
                parameter.uniform_(-1.5, 1.5)
            parameter.copy_(parameter.to(dtype).float())
    return model


@torch.no_grad()
def logits_of(model, tokens):
    """Of each sequence alone, in float32 and in float64."""
    found = torch.cat([model(row[None]).logits[0] for row in tokens])
    model.double()
    exact = torch.cat([model(row[None]).logits[0] for row in tokens])
    model.float()
    return found, exact


def errors(found, exact):
    """Relative L2, and the worst element in ULP of the scale."""
    difference = found.double() - exact
    return (float(difference.norm() / exact.norm()),
            float(difference.abs().max() / (exact.abs().max() * 2.0**-23)))


def permute(weights, heads):
    """llama.cpp's converter's, of a llama's q and k."""
    shape = weights.shape
    halves = weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:])
    return halves.swapaxes(1, 2).reshape(shape)


NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
         "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
         "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
         "post_attention_layernorm": "ffn_norm", "model.embed_tokens": "token_embd",
         "model.norm": "output_norm", "lm_head": "output"}


def gguf_name(name):
    stem, kind = name.rsplit(".", 1)
    if not stem.startswith("model.layers."):
        return f"{NAMES[stem]}.{kind}"
    layer, part = stem.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{NAMES[part]}.{kind}"


def rope_factors(theta, head_dim, scaling):
    """The converter's rope_freqs.weight."""
    factors = []
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    original = scaling["original_max_position_embeddings"]
    for freq in 1.0 / (theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)):
        wavelength = 2 * math.pi / freq
        if wavelength < original / high:
            factors.append(1)
        elif wavelength > original / low:
            factors.append(scaling["factor"])
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def write_gguf(path, model, dtype, packed=()):
    """`packed` may have quantized weights by name: their bytes, a row each, and their type."""
    config = model.config
    architecture = "llama" if config.model_type == "mistral" else config.model_type
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer = GGUFWriter(str(path), architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    theta = rope.get("rope_theta") or config.rope_theta
    writer.add_rope_freq_base(theta)
    kind = rope.get("rope_type", rope.get("type"))
    if kind == "linear":
        writer.add_string(f"{architecture}.rope.scaling.type", "linear")
        writer.add_rope_scaling_factor(rope["factor"])
    if kind == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(theta, head_dim, rope))
    wide = {torch.float32: Type.F32, torch.float16: Type.F16, torch.bfloat16: Type.BF16}[dtype]
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = packed[name][0] if name in packed else tensor.numpy()
        if architecture == "llama" and "q_proj" in name:
            values = permute(values, config.num_attention_heads)
        if architecture == "llama" and "k_proj" in name:
            values = permute(values, config.num_key_value_heads)
        values = np.ascontiguousarray(values)
        if name in packed:
            writer.add_tensor(gguf_name(name), values, raw_dtype=packed[name][1])
        elif values.ndim == 1 or wide == Type.F32:
            writer.add_tensor(gguf_name(name), values)
        else:
            writer.add_tensor(gguf_name(name), quants.quantize(values, wide), raw_dtype=wide)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write(folder, family, dtype, shards, options):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    worst = [0.0, 0.0]
    for seed in range(TRIALS, 0, -1):
        model = build(family, options, dtype, seed)
        tokens = torch.randint(0, SMALL["vocab_size"], (SEQUENCES, LENGTH))
        found, exact = logits_of(model, tokens)
        worst = [max(a, b) for a, b in zip(worst, errors(found, exact))]
    write_gguf(folder / "model.gguf", model, dtype)
    save_file({"tokens": tokens.flatten().int(), "logits": found, "exact": exact},
              str(folder / "logits.safetensors"),
              {"relative": f"{worst[0]:.4g}", "worst": f"{worst[1]:.4g}"})
    model.to(dtype).save_pretrained(folder, max_shard_size=8000 // shards if shards > 1 else "5GB")
    (folder / "generation_config.json").unlink(missing_ok=True)


def main(folder):
    version = int(transformers.__version__.split(".")[0])
    for name, (wanted, *model) in MODELS.items():
        if wanted == version:
            write(Path(folder) / name, *model)


if __name__ == "__main__":
    main(sys.argv[1])
