"""Writes tests/interchange/peft with Hugging Face's peft: a LoRA adapter of tests/interchange/hf_llama
with ranks and alphas of its own, and the weights after merge_and_unload. Needs torch, transformers
and peft.

  write_peft.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM


def main(folder):
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_pretrained(Path(__file__).parent / "hf_llama",
                                                 dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(
        task_type="CAUSAL_LM", r=4, lora_alpha=8,
        target_modules=r".*\.(q_proj|k_proj|down_proj)",
        rank_pattern={"model.layers.1.self_attn.q_proj": 2, "down_proj": 5},
        alpha_pattern={r"layers\.0\..*k_proj": 3, "q_proj": 11}))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.5)
    model.save_pretrained(folder)
    path = Path(folder) / "adapter_config.json"
    config = json.loads(path.read_text()) | {"base_model_name_or_path": None}
    path.write_text(json.dumps(config, indent=2) + "\n")
    (Path(folder) / "README.md").unlink(missing_ok=True)
    merged = Path(folder) / "merged"
    model.merge_and_unload().save_pretrained(merged)
    (merged / "model.safetensors").rename(Path(folder) / "merged.safetensors")


if __name__ == "__main__":
    main(sys.argv[1])
