"""What a program does beside its arithmetic on one image: random numbers, statistics of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
from torch import fx

from search_spaces.traced.reading.nodes import operation_name, place_of
from search_spaces.traced.reading.program import Program

SHARES: Final = ("p", "dropout_p", "dropout")
"""Names of arguments that say which share is dropped at random."""
BATCH_NORMS: Final = ("batch_norm", "native_batch_norm", "_batch_norm_impl_index")


def find_draws(program: Program) -> tuple[str, ...]:
    """The modules whose code draws random numbers, in order; operations that drop a share of 0, or
    are not in training, draw none."""
    found = (place_of(node) for node in _operations(program) if _draws(node))
    return (*dict.fromkeys(found),)


def find_batch_norms(program: Program) -> tuple[str, ...]:
    """The modules whose code takes statistics over the batch, in order."""
    nodes = (node for node in _operations(program) if operation_name(node) in BATCH_NORMS)
    return (*dict.fromkeys(place_of(node) for node in nodes),)


def _operations(program: Program) -> Iterator[fx.Node]:
    for module in program.graph_module.modules():
        if isinstance(module, fx.GraphModule):
            yield from (
                n for n in module.graph.nodes if isinstance(n.target, torch._ops.OpOverload)
            )


def _draws(node: fx.Node) -> bool:
    assert isinstance(node.target, torch._ops.OpOverload)
    if torch.Tag.nondeterministic_seeded not in node.target.tags:
        return False
    names = [argument.name for argument in node.target._schema.arguments]
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    shares = [given[name] for name in SHARES if name in given]
    if "dropout_p" in names:  # attention's own, 0 where it is not given
        shares = shares or [0.0]
    off = given.get("train") is False or given.get("training") is False
    return not off and not (shares and all(share == 0 for share in shares))
