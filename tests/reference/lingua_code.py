"""The reference's own code, facebookresearch/memory, from a checkout: its model, optimizer and schedules
on a CPU in float32 or float64. Stand-ins take the place of the GPU libraries that it imports."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import torch
import torch._dynamo  # before the stand-ins, which it would take for the libraries
from torch import Tensor

from case_store import Tensors

GPU_MODULES = ("xformers", "xformers.ops", "triton", "triton.language")
MODULES = ("apps.main.transformer", "lingua.product_key.memory", "lingua.transformer", "lingua.optim",
           "lingua.product_key.colwise_embedding_bag", "lingua.product_key.xformer_embeddingbag")


@dataclass
class Code:
    """Its modules."""
    model: ModuleType  # apps/main/transformer.py
    memory: ModuleType  # lingua/product_key/memory.py
    transformer: ModuleType  # lingua/transformer.py
    optim: ModuleType  # lingua/optim.py


def load(checkout: Path) -> Code:
    """Imports it. The value table's kernel is replaced by the one in PyTorch beside it."""
    sys.path.insert(0, str(checkout))
    for name in GPU_MODULES:
        sys.modules[name] = mock.MagicMock()
    with mock.patch.object(torch, "compile", lambda f: f):
        modules = [importlib.import_module(name) for name in MODULES]
    for name in GPU_MODULES:
        del sys.modules[name]
    bag, kernels = modules[4:]
    bag.xformers_embedding_bag = kernels.custom_embedding_bag_function
    return Code(*modules[:4])


class DoubleForFloat:
    """In a block of float64, `.float()` in the reference's code is no rounding to float32."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.double = dtype == torch.float64
        self.float = torch.Tensor.float

    def __enter__(self) -> None:
        if self.double:
            torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        torch.Tensor.float = self.float  # type: ignore[method-assign]


def arguments(code: Code, c: dict) -> Any:
    """The model's, of a config.json."""
    m = c["memory"]
    return code.model.LMTransformerArgs(
        dim=c["hidden_size"], n_layers=c["num_hidden_layers"], n_heads=c["num_attention_heads"],
        n_kv_heads=c["num_key_value_heads"], multiple_of=c["multiple_of"],
        norm_eps=c["rms_norm_eps"], rope_theta=c["rope_theta"], vocab_size=c["vocab_size"],
        max_seqlen=c["max_position_embeddings"],
        productkey_args=code.memory.ProductKeyArgs(
            is_enabled=True, layers=",".join(map(str, m["layers"])), mem_n_keys=m["n_keys"],
            mem_heads=m["heads"], mem_knn=m["knn"], mem_share_values=m["share_values"],
            mem_k_dim=m["k_dim"], mem_v_dim=m["v_dim"] if m["v_dim"] != c["hidden_size"] else -1,
            swilu_projection=m.get("swilu_projection", not m.get("peer_variant", False)),
            mem_gated=m.get("gated", False), peer_variant=m.get("peer_variant", False)))


def build(code: Code, c: dict, dtype: torch.dtype, **changes: Any) -> Any:
    """Its LMTransformer, with its own initialisation."""
    code.memory.HashingMemory.VALUES = None
    given = arguments(code, c)
    for name, value in changes.items():
        setattr(given, name, value)
    with DoubleForFloat(dtype):
        model = code.model.LMTransformer(given).to(dtype)
        model.init_weights()
    if c["memory"]["share_values"]:  # as its mp_parallelize does
        for l in c["memory"]["layers"]:
            layer = model.layers[l].feed_forward
            if c["memory"].get("peer_variant", False):
                layer.values_u, layer.values_v = code.memory.HashingMemory.VALUES
            else:
                layer.values = code.memory.HashingMemory.VALUES
    return model


def set_parameters(model: Any, p: Tensors) -> None:
    """By name; all of them."""
    found = dict(model.named_parameters())
    assert set(found) == set(p), set(found) ^ set(p)
    with torch.no_grad():
        for name, t in found.items():
            t.copy_(p[name])


class Lookups:
    """Records what a model's memory layers look up: slots and their scores, call by call."""

    def __init__(self, model: Any, layers: list[int]) -> None:
        self.slots: list[Tensor] = []
        self.scores: list[Tensor] = []
        for l in layers:
            layer = model.layers[l].feed_forward
            layer.get_indices = self.recorded(layer.get_indices)

    def recorded(self, get_indices: Any) -> Any:
        """The function, heard."""
        def found(query: Tensor, knn: int) -> tuple[Tensor, Tensor]:
            scores, indices = get_indices(query, knn)
            self.slots.append(indices.detach().clone())
            self.scores.append(scores.detach().clone())
            return scores, indices
        return found


class Trainer:
    """Its build_optimizer, and the two clips that its training loop makes before each step."""

    def __init__(self, code: Code, model: Any, **optim: Any) -> None:
        self.model = model
        self.args = code.optim.OptimArgs(**{k: v for k, v in optim.items() if k != "steps"})
        self.optimizer, self.scheduler = code.optim.build_optimizer(model, self.args, optim["steps"])

    def step(self, tokens: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Of a batch [sequences, n]: its loss, and the norm of all gradients but the tables'."""
        loss = self.model(tokens, targets)
        loss.backward()
        tables = [p for p in self.model.parameters() if hasattr(p, "pk_value_param")]
        others = [p for p in self.model.parameters() if not hasattr(p, "pk_value_param")]
        torch.nn.utils.clip_grad_norm_(tables, max_norm=self.args.clip, foreach=True)
        norm = torch.nn.utils.clip_grad_norm_(others, max_norm=self.args.clip, foreach=True)
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad()
        return loss.detach(), norm.detach()
