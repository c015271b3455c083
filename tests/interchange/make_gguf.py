"""Writes tiny.gguf, a Llama with random weights of several types by the package `gguf`, and
tiny_gguf.txt: the SHA-256 of each tensor as the package widens it, under mneme's names.

    python3 tests/interchange/make_gguf.py tests/interchange
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, quants

DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, VOCAB = 32, 64, 2, 4, 2, 260
NAMES = {"attn_norm": "attention_norm", "attn_q": "attention.wq", "attn_k": "attention.wk",
         "attn_v": "attention.wv", "attn_output": "attention.wo", "ffn_norm": "ffn_norm",
         "ffn_gate": "feed_forward.w1", "ffn_up": "feed_forward.w3", "ffn_down": "feed_forward.w2"}
KV_DIM = DIM // HEADS * KV_HEADS
SHAPES = {"attn_norm": [DIM], "attn_q": [DIM, DIM], "attn_k": [KV_DIM, DIM],
          "attn_v": [KV_DIM, DIM], "attn_output": [DIM, DIM], "ffn_norm": [DIM],
          "ffn_gate": [HIDDEN, DIM], "ffn_up": [HIDDEN, DIM], "ffn_down": [DIM, HIDDEN]}
TYPES = [Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.F16, Type.BF16, Type.F32]


def alphabet():
    """GPT-2's character for each byte."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in own]
    return [chr(b) if b in own else chr(256 + others.index(b)) for b in range(256)]


def main(folder):
    draw = np.random.default_rng(5)
    writer = GGUFWriter(str(Path(folder) / "tiny.gguf"), "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(DIM)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(5000.0)
    writer.add_rope_dimension_count(DIM // HEADS)
    writer.add_vocab_size(VOCAB)
    tokens = ["<|endoftext|>", "<|im_end|>", *alphabet(), "ab", "abab"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * (VOCAB - 2))
    writer.add_token_merges(["a b", "ab ab"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    lines = []

    def add(name, ours, shape, kind):
        values = draw.normal(0, 0.3, shape).astype(np.float32)
        packed = quants.quantize(values, kind)
        if kind == Type.F32:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, packed, raw_dtype=kind)
        wide = np.ascontiguousarray(quants.dequantize(packed, kind), dtype=np.float32)
        lines.append(f"{ours} {hashlib.sha256(wide.tobytes()).hexdigest()}")

    add("token_embd.weight", "tok_embeddings.weight", [VOCAB, DIM], Type.Q8_0)
    for layer in range(LAYERS):
        for i, (theirs, shape) in enumerate(SHAPES.items()):
            kind = Type.F32 if len(shape) == 1 else TYPES[(i + 3 * layer) % len(TYPES)]
            add(f"blk.{layer}.{theirs}.weight", f"layers.{layer}.{NAMES[theirs]}.weight", shape, kind)
    add("output_norm.weight", "norm.weight", [DIM], Type.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (Path(folder) / "tiny_gguf.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


main(sys.argv[1])
