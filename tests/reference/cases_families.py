"""Cases of the options that Llama's relatives have: forward pass, loss and every gradient, by the
models of Hugging Face's transformers themselves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
import transformers
from torch import Tensor, nn

import transformer
from case_store import Store, Tensors, Trial, Ways, both, normal

LENGTHS = [1, 9, 20, 6]
TRIALS = 1
SMALL = {"num_hidden_layers": 2, "hidden_size": 16, "vocab_size": 29,
         "rope_rule": "transformers", "rope_theta": 100.0}
# name: transformers' family, its options, ours
FAMILIES: dict[str, tuple[str, dict, dict]] = {
    "head_dim": ("Llama", {"head_dim": 10}, {"head_dim": 10}),
    "biases": ("Llama", {"attention_bias": True, "mlp_bias": True},
               {"attention_bias": "qkvo", "mlp_bias": True}),
    "linear RoPE": ("Llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.5}},
                    {"rope_scaling": "linear", "rope_factor": 2.5}),
    "llama3 RoPE": ("Llama", {"head_dim": 16, "rope_scaling": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 48}},
                    {"head_dim": 16, "rope_scaling": "llama3", "rope_factor": 8.0,
                     "rope_low_freq": 1.0, "rope_high_freq": 4.0, "rope_original": 48}),
    "Qwen2": ("Qwen2", {}, {"attention_bias": "qkv"}),
    "Qwen3": ("Qwen3", {"head_dim": 10}, {"head_dim": 10, "qk_norm": True}),
}
NAMES = {"attention.wq": "self_attn.q_proj", "attention.wk": "self_attn.k_proj",
         "attention.wv": "self_attn.v_proj", "attention.wo": "self_attn.o_proj",
         "attention.q_norm": "self_attn.q_norm", "attention.k_norm": "self_attn.k_norm",
         "feed_forward.w1": "mlp.gate_proj", "feed_forward.w3": "mlp.up_proj",
         "feed_forward.w2": "mlp.down_proj", "attention_norm": "input_layernorm",
         "ffn_norm": "post_attention_layernorm", "tok_embeddings": "embed_tokens", "norm": "norm"}
TURNED = ("attention.wq", "attention.wk", "attention.q_norm", "attention.k_norm")


def build(family: str, options: dict, c: dict) -> nn.Module:
    """transformers' model with the sizes of our config, without its weights."""
    sizes = {key: c[key] for key in (
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "rms_norm_eps", "rope_theta", "tie_word_embeddings")}
    config = getattr(transformers, family + "Config")(
        **sizes, **options, intermediate_size=transformer.hidden_width(c),
        max_position_embeddings=64, attn_implementation="sdpa")
    return getattr(transformers, family + "ForCausalLM")(config)


def their_name(name: str) -> str:
    """Of a parameter that is ours."""
    stem, kind = name.rsplit(".", 1)
    if stem == "output":
        return f"lm_head.{kind}"
    if not stem.startswith("layers."):
        return f"model.{NAMES[stem]}.{kind}"
    _, layer, part = stem.split(".", 2)
    return f"model.layers.{layer}.{NAMES[part]}.{kind}"


def is_turned(name: str) -> bool:
    """Whether RoPE turns its rows, which then have another order there."""
    return any(part in name for part in TURNED)


def halves(t: Tensor, head_dim: int) -> Tensor:
    """Our rows (2i, 2i + 1) as their (i, i + head_dim / 2)."""
    return t.unflatten(0, (-1, head_dim // 2, 2)).transpose(1, 2).flatten(0, 2)


def pairs(t: Tensor, head_dim: int) -> Tensor:
    """The way back."""
    return t.unflatten(0, (-1, 2, head_dim // 2)).transpose(1, 2).flatten(0, 2)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.linear with the bias as a column of the weight."""
    if bias is None:
        return torch._C._nn.linear(x, weight)
    ones = torch.ones(*x.shape[:-1], 1, dtype=x.dtype)
    return torch._C._nn.linear(torch.cat([x, ones], -1),
                               torch.cat([weight, bias.unsqueeze(1)], 1))


def exact_norms(model: nn.Module) -> None:
    """transformers' norms compute in float32 whatever the model's type is; these do not."""
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = lambda x, m=module: F.rms_norm(x, x.shape[-1:], m.weight,
                                                            m.variance_epsilon)


def parameters(g: torch.Generator, model: nn.Module, c: dict) -> Tensors:
    """Random ones under our names."""
    scale = {"weight": 1.0, "bias": 0.3}
    p = {}
    theirs = dict(model.named_parameters())
    for layer in range(c["num_hidden_layers"]):
        for part, name in NAMES.items():
            for kind, std in scale.items():
                found = theirs.get(f"model.layers.{layer}.{name}.{kind}")
                if found is None:
                    continue
                values = normal(g, *found.shape, std=std)
                if found.dim() == 2:
                    values = values / found.shape[1] ** 0.5
                elif kind == "weight":
                    values = 1 + 0.2 * values
                p[f"layers.{layer}.{part}.{kind}"] = values
    p["tok_embeddings.weight"] = normal(g, c["vocab_size"], c["hidden_size"])
    p["norm.weight"] = 1 + normal(g, c["hidden_size"], std=0.1)
    p["output.weight"] = normal(g, c["vocab_size"], c["hidden_size"],
                                std=c["hidden_size"] ** -0.5)
    return p


def case(family: str, options: dict, c: dict, g: torch.Generator) -> Trial:
    """One batch, sequence by sequence."""
    head_dim = c.get("head_dim", c["hidden_size"] // c["num_attention_heads"])
    p = parameters(g, build(family, options, c), c)
    batch = transformer.Batch.random(g, c, LENGTHS, ignored=5)

    def compute(i: Tensors) -> Tensors:
        leaves = {name: i[name].requires_grad_() for name in p}
        model = build(family, options, c).to(i["norm.weight"].dtype)
        if i["norm.weight"].dtype == torch.float64:
            exact_norms(model)
        given = {their_name(name): halves(t, head_dim) if is_turned(name) else t
                 for name, t in leaves.items()}
        rows = zip(batch.starts, batch.starts[1:])
        original = F.linear
        F.linear = linear if Ways.bias_is_column else original
        try:
            logits = torch.cat([torch.func.functional_call(
                model, given, (batch.tokens[None, first:end],)).logits[0] for first, end in rows])
            losses = F.cross_entropy(logits, batch.targets, ignore_index=-1, reduction="none")
            gradients = torch.autograd.grad(transformer.loss(logits, batch.targets),
                                            list(leaves.values()))
        finally:
            F.linear = original
        outputs = {"logits": logits, "losses": losses, "best": logits.argmax(-1)}
        return outputs | {f"d.{name}": t for name, t in zip(leaves, gradients)}
    return both(compute, {**p, **batch.inputs()})


def add(store: Store) -> None:
    """All of them."""
    for name, (family, options, ours) in FAMILIES.items():
        c = transformer.config(**(SMALL | ours))
        store.add("families.safetensors", f"family/{name}", "model", TRIALS,
                  lambda g, f=family, o=options, c=c: case(f, o, c, g), config=c)
