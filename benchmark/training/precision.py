"""What a recipe's precision means for tensors."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch

from benchmark.study.recipe import Recipe


def dtype(recipe: Recipe) -> torch.dtype:
    """The type of weights, losses and the optimiser; float32 under bfloat16 autocast."""
    return torch.float64 if recipe.precision == "float64" else torch.float32


def autocast(recipe: Recipe, device: torch.device) -> AbstractContextManager[object]:
    """The context of forward passes."""
    if recipe.precision == "bfloat16":
        # No cache of cast weights: each is used once a step, and a CUDA graph would keep it.
        return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
    return contextlib.nullcontext()
