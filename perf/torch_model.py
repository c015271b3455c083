"""The memory-layer transformer of src/model in PyTorch, as one would write it there for speed: fused
attention, embedding_bag for the values, batched products for the keys. Parameters have the names of
the model files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import torch_inputs


@dataclass(frozen=True)
class MemoryConfig:
    """Sizes of a product-key memory layer."""
    n_keys: int
    heads: int
    knn: int
    k_dim: int
    v_dim: int
    layers: tuple[int, ...] = ()
    beside: bool = False  # the feed-forward network, not in its place
    swilu_projection: bool = True
    value_proj: bool = True


@dataclass(frozen=True)
class Config:
    """Sizes of a model; hidden is the feed-forward width."""
    vocab_size: int
    dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    hidden: int
    max_seq_len: int
    norm_eps: float
    rope_theta: float
    memory: MemoryConfig | None
    tied: bool = False  # the output is the embedding

    @staticmethod
    def from_file(config: dict) -> "Config":
        """From the config.json of a model's folder."""
        memory = config.get("memory")
        swilu = memory is None or memory.get("swilu_projection", True)
        other_width = memory is not None and memory["v_dim"] != config["hidden_size"]
        return Config(
            config["vocab_size"], config["hidden_size"], config["num_hidden_layers"],
            config["num_attention_heads"],
            config.get("num_key_value_heads", config["num_attention_heads"]),
            config["intermediate_size"], config["max_position_embeddings"],
            config["rms_norm_eps"], config["rope_theta"],
            memory and MemoryConfig(memory["n_keys"], memory["heads"], memory["knn"],
                                    memory["k_dim"], memory["v_dim"], tuple(memory["layers"]),
                                    memory.get("placement") == "beside",
                                    swilu, memory.get("value_proj", swilu or other_width)),
            config["tie_word_embeddings"])


def product_key_scores(query: Tensor, keys: Tensor, heads: int) -> Tensor:
    """[2 * heads, n, n_keys] from query [n, heads * k_dim] and keys [heads * 2 * n_keys, half]."""
    half = keys.shape[1]
    queries = query.view(-1, heads * 2, half).transpose(0, 1)
    return torch.bmm(queries, keys.view(heads * 2, -1, half).transpose(1, 2))


def product_key_combine(scores: Tensor, chosen: Tensor, n_keys: int) -> tuple[Tensor, Tensor]:
    """Slots and their sums [n, heads, knn] from the best scores and sub-keys of each half, both
    [2 * heads, n, knn]."""
    two_heads, n, knn = scores.shape
    scores = scores.view(two_heads // 2, 2, n, knn)
    chosen = chosen.view(two_heads // 2, 2, n, knn)
    sums = (scores[:, 0].unsqueeze(-1) + scores[:, 1].unsqueeze(-2)).flatten(-2)
    best, place = torch.topk(sums, knn, dim=-1)
    slots = (chosen[:, 0] * n_keys).gather(-1, place // knn) + chosen[:, 1].gather(-1, place % knn)
    return slots.transpose(0, 1), best.transpose(0, 1)


def product_key_lookup(query: Tensor, keys: Tensor, heads: int, n_keys: int,
                       knn: int) -> tuple[Tensor, Tensor]:
    """Slots and weights [n, heads, knn] of query [n, heads * k_dim]."""
    best, chosen = torch.topk(product_key_scores(query, keys, heads), knn, dim=-1)
    slots, sums = product_key_combine(best, chosen, n_keys)
    return slots, torch.softmax(sums, dim=-1)


class Projection(nn.Module):
    """The reference keeps its query projection under this name."""

    def __init__(self, dim: int, out: int) -> None:
        super().__init__()
        self.query_mlps = nn.ModuleList([nn.Linear(dim, out)])

    def forward(self, x: Tensor) -> Tensor:
        return self.query_mlps[0](x)


@torch.compiler.disable
def sparse_embedding_bag(*arguments: Tensor, **options: object) -> Tensor:
    """embedding_bag with a sparse gradient, which compiled code cannot have."""
    return F.embedding_bag(*arguments, **options, sparse=True)


class Memory(nn.Module):
    """Memory+: value_proj(read * silu(swilu_projection(x))), or less of it; beside the feed-forward
    network times a scale."""

    def __init__(self, dim: int, config: MemoryConfig) -> None:
        super().__init__()
        self.config = config
        self.sparse_gradient = False
        self.slots: Tensor | None = None  # of the last pass, for SMF's counts
        self.query_proj = Projection(dim, config.heads * config.k_dim)
        self.keys = nn.Parameter(torch.empty(config.heads * 2 * config.n_keys, config.k_dim // 2))
        self.values = nn.Embedding(config.n_keys**2, config.v_dim)
        if config.swilu_projection:
            self.swilu_projection = nn.Linear(dim, config.v_dim)
        if config.value_proj:
            self.value_proj = nn.Linear(config.v_dim, dim)
        if config.beside:
            self.scale = nn.Parameter(torch.empty(1))

    def forward(self, x: Tensor) -> Tensor:
        c = self.config
        flat = x.reshape(-1, x.shape[-1])
        slots, weights = product_key_lookup(self.query_proj(flat), self.keys, c.heads, c.n_keys,
                                            c.knn)
        self.slots = slots.flatten(1)
        bag = sparse_embedding_bag if self.sparse_gradient else F.embedding_bag
        out = bag(self.slots, self.values.weight, mode="sum",
                  per_sample_weights=weights.flatten(1))
        if c.swilu_projection:
            out = out * F.silu(self.swilu_projection(flat))
        if c.value_proj:
            out = self.value_proj(out)
        return (out * self.scale if c.beside else out).view_as(x)


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.w1 = nn.Linear(config.dim, config.hidden, bias=False)
        self.w3 = nn.Linear(config.dim, config.hidden, bias=False)
        self.w2 = nn.Linear(config.hidden, config.dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


def rope_table(config: Config) -> Tensor:
    """[2, max_seq_len, head_dim / 2]: cosine and sine."""
    head_dim = config.dim // config.n_heads
    frequency = config.rope_theta ** (-torch.arange(0, head_dim, 2).float() / head_dim)
    angle = torch.outer(torch.arange(config.max_seq_len).float(), frequency)
    return torch.stack([angle.cos(), angle.sin()])


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Interleaved pairs of x [batch, length, heads, head_dim] turned by table [2, length, half]."""
    pairs = x.unflatten(-1, (-1, 2))
    cosine, sine = table.unsqueeze(2).unbind(0)
    even, odd = pairs.unbind(-1)
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1).flatten(-2)


class Cache:
    """Keys and values of one layer: [batch, kv_heads, positions, head_dim]."""

    def __init__(self, batch: int, positions: int, config: Config) -> None:
        shape = (batch, config.n_kv_heads, positions, config.dim // config.n_heads)
        self.keys, self.values = torch.zeros(shape), torch.zeros(shape)

    def extend(self, start: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Stores keys and values of the positions from start; returns all so far."""
        end = start + k.shape[2]
        self.keys[:, :, start:end] = k
        self.values[:, :, start:end] = v
        return self.keys[:, :, :end], self.values[:, :, :end]


class Attention(nn.Module):
    """Grouped-query causal attention."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.n_heads, self.n_kv_heads = config.n_heads, config.n_kv_heads
        self.head_dim = config.dim // config.n_heads
        kv_dim = self.n_kv_heads * self.head_dim
        self.wq = nn.Linear(config.dim, config.dim, bias=False)
        self.wk = nn.Linear(config.dim, kv_dim, bias=False)
        self.wv = nn.Linear(config.dim, kv_dim, bias=False)
        self.wo = nn.Linear(config.dim, config.dim, bias=False)

    def forward(self, x: Tensor, table: Tensor, cache: Cache | None = None,
                start: int = 0) -> Tensor:
        q = rotate(self.wq(x).unflatten(-1, (self.n_heads, -1)), table).transpose(1, 2)
        k = rotate(self.wk(x).unflatten(-1, (self.n_kv_heads, -1)), table).transpose(1, 2)
        v = self.wv(x).unflatten(-1, (self.n_kv_heads, -1)).transpose(1, 2)
        if cache is not None:
            k, v = cache.extend(start, k, v)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=q.shape[2] > 1,
                                             enable_gqa=self.n_kv_heads != self.n_heads)
        return self.wo(out.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """One layer."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        memory = config.memory
        self.attention_norm = nn.RMSNorm(config.dim, config.norm_eps)
        self.attention = Attention(config)
        self.ffn_norm = nn.RMSNorm(config.dim, config.norm_eps)
        has_memory = memory is not None and layer in memory.layers
        beside = has_memory and memory.beside
        self.memory = Memory(config.dim, memory) if beside else None
        self.feed_forward = (Memory(config.dim, memory) if has_memory and not beside
                             else FeedForward(config))

    def forward(self, x: Tensor, table: Tensor, cache: Cache | None = None,
                start: int = 0) -> Tensor:
        x = x + self.attention(self.attention_norm(x), table, cache, start)
        normed = self.ffn_norm(x)
        x = x + self.feed_forward(normed)
        return x if self.memory is None else x + self.memory(normed)


class Transformer(nn.Module):
    """The whole model."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.tok_embeddings = nn.Embedding(config.vocab_size, config.dim)
        self.layers = nn.ModuleList(Block(config, l) for l in range(config.n_layers))
        self.norm = nn.RMSNorm(config.dim, config.norm_eps)
        self.output = nn.Linear(config.dim, config.vocab_size, bias=False)
        self.register_buffer("table", rope_table(config), persistent=False)

    def hidden(self, tokens: Tensor, caches: list[Cache] | None = None, start: int = 0) -> Tensor:
        """What the output layer reads, [batch, length, dim]."""
        table = self.table[:, start:start + tokens.shape[1]]
        x = self.tok_embeddings(tokens)
        for l, layer in enumerate(self.layers):
            x = layer(x, table, caches[l] if caches is not None else None, start)
        return self.norm(x)

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Mean cross entropy."""
        logits = self.output(self.hidden(tokens))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def memories(self) -> list[Memory]:
        """The memory layers."""
        return [m for m in self.modules() if isinstance(m, Memory)]

    @torch.inference_mode()
    def generate(self, prompts: Tensor, max_new: int) -> Tensor:
        """Greedy continuations [batch, max_new] with a key-value cache."""
        length = prompts.shape[1]
        caches = [Cache(len(prompts), length + max_new, self.config) for _ in self.layers]
        chosen, tokens, start = [], prompts, 0
        for _ in range(max_new):
            normed = self.hidden(tokens, caches, start)
            start += tokens.shape[1]
            tokens = self.output(normed[:, -1:]).argmax(-1)
            chosen.append(tokens)
        return torch.cat(chosen, 1)


def load(folder: Path, config: dict) -> Transformer:
    """The model of a folder."""
    with torch.device("meta"):
        model = Transformer(Config.from_file(config))
    tensors = torch_inputs.load_safetensors(folder / "model.safetensors")
    state = {name: torch.from_numpy(array) for name, array in tensors.items()}
    if model.config.tied:
        state["output.weight"] = state["tok_embeddings.weight"]
    model.load_state_dict(state, assign=True)
    model.table = rope_table(model.config)
    return model


class Adapted(nn.Module):
    """A frozen linear layer with a low-rank adapter (LoRA)."""

    def __init__(self, linear: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.linear, self.scale = linear, scale
        self.a = nn.Parameter(torch.empty(rank, linear.in_features))
        self.b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + F.linear(F.linear(x, self.a), self.b) * self.scale


def _layer_linears(block: Block) -> list[tuple[nn.Module, str]]:
    """Parents and names of a block's linear layers, in the order of src/model/adapter.c."""
    places: list[tuple[nn.Module, str]] = [(block.attention, n) for n in ("wq", "wk", "wv", "wo")]
    ffn = block.feed_forward
    if isinstance(ffn, FeedForward):
        return places + [(ffn, n) for n in ("w1", "w3", "w2")]
    return places + [(ffn.query_proj.query_mlps, "0"), (ffn, "swilu_projection"),
                     (ffn, "value_proj")]


def add_adapters(model: Transformer, rank: int, alpha: float, seed: int, stream: int) -> None:
    """Freezes the model and puts an adapter on every linear layer but the output."""
    model.requires_grad_(False)
    places = [place for block in model.layers for place in _layer_linears(block)]
    for index, (parent, name) in enumerate(places):
        linear = getattr(parent, name) if not name.isdigit() else parent[int(name)]
        adapted = Adapted(linear, rank, alpha / rank)
        uniform = torch_inputs.uniform(adapted.a.numel(), seed, stream + index)
        with torch.no_grad():
            adapted.a.copy_(torch.from_numpy(2 * uniform - 1).view_as(adapted.a)
                            / math.sqrt(linear.in_features))
        if name.isdigit():
            parent[int(name)] = adapted
        else:
            setattr(parent, name, adapted)
