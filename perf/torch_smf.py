"""The sparse update of SMF in PyTorch: the values' gradient, as embedding_bag gives it, masked to the
slots of the highest TF-IDF."""

from __future__ import annotations

import torch
from torch import Tensor


class SparseUpdate:
    """SGD on the t best slots that a batch read. reading [n_slots]: the batches of the background,
    of n_batches, that read a slot."""

    def __init__(self, values: Tensor, n_batches: int, reading: Tensor, t: int, lr: float) -> None:
        self.values, self.t, self.lr = values, t, lr
        self.idf = torch.log(torch.tensor(n_batches + 1.0) / (1 + reading))

    def choose(self, slots: Tensor, check: bool) -> Tensor:
        """The t best; equal ones in any order, in a check by slot."""
        counts = torch.bincount(slots, minlength=len(self.idf))
        scores = (counts / slots.numel()).mul_(self.idf)
        if check:
            return torch.sort(scores, descending=True, stable=True).indices[:self.t]
        return torch.topk(scores, self.t).indices

    @torch.no_grad()
    def __call__(self, gradient: Tensor, slots: Tensor, check: bool) -> Tensor:
        """Changes the values; returns the gradient of the chosen slots, sparse."""
        mask = torch.zeros(len(self.idf), dtype=torch.bool)
        mask[self.choose(slots.flatten(), check)] = True
        indices = gradient._indices()[0]
        kept = mask[indices].nonzero()[:, 0]
        indices, rows = indices[kept], gradient._values()[kept]
        self.values.data.index_add_(0, indices, rows, alpha=-self.lr)
        return torch.sparse_coo_tensor(indices.unsqueeze(0), rows, self.values.shape,
                                       check_invariants=False)
