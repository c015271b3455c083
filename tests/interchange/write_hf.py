"""Writes the small Llama of tests/interchange/hf_llama with Hugging Face's transformers, and the
logits that it computes in float32 and float64. Needs torch, transformers and safetensors.

  write_hf.py FOLDER
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM


def main(folder):
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=48, hidden_size=16, intermediate_size=28, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        rope_theta=500.0, rms_norm_eps=1e-6, tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.normal_(0, 1.5 * parameter.shape[1] ** -0.5)
            else:
                parameter.uniform_(0.5, 1.5)
    model.save_pretrained(folder)
    (Path(folder) / "generation_config.json").unlink()
    tokens = torch.randint(0, 48, (8, 40))
    with torch.no_grad():
        logits = torch.cat([model(row[None]).logits[0] for row in tokens])
        model.double()
        exact = torch.cat([model(row[None]).logits[0] for row in tokens])
    save_file({"tokens": tokens.flatten().to(torch.int32), "logits": logits, "exact": exact},
              str(Path(folder) / "logits.safetensors"))


if __name__ == "__main__":
    main(sys.argv[1])
