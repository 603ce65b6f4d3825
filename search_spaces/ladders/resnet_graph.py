"""The graphs of the residual ladder, without torch."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.space import Topology

BlockName = Literal["one-conv", "basic", "bottleneck", "post-activation"]
KERNELS: dict[str, tuple[int, ...]] = {
    "one-conv": (3,),
    "basic": (3, 3),
    "bottleneck": (1, 3, 1),
    "post-activation": (3,),
}


def stage_starts(blocks: int, stages: str) -> set[int]:
    """The numbers (from 0) of the blocks that halve the image: stages as even as they can be."""
    if stages == "homogeneous":
        return set()
    return {-(-blocks // 3), -(-2 * blocks // 3)}


@lru_cache(maxsize=4096)
def make_resnet_topology(blocks: int, width: int, block: BlockName, stages: str) -> Topology:
    """The topology of resnet-``blocks``."""
    if block == "post-activation":
        return _post_activation_topology(blocks, width)
    starts = stage_starts(blocks, stages)
    plain, halving = _block_graph(block, False), _block_graph(block, True)
    network = ArchGraph.series(
        [
            ArchGraph.single(Operation("conv", 3, role="stem", activated=False)),
            *(halving if number in starts else plain for number in range(blocks)),
            ArchGraph.single(Operation("linear", role="head")),
        ]
    )
    shape = f"resnet-{blocks} {block} {stages}"
    return Topology(network, network, network.additions, width, shape=shape)


def _post_activation_topology(blocks: int, width: int) -> Topology:
    """The image into a block, blocks in a row, and a readout on the last sum as it is."""
    head = ArchGraph.single(Operation("linear", role="head", activated=False))
    first = Operation("conv", 1, role="reduction", activated=False)
    shortcuts = [first, *[Operation("identity")] * (blocks - 1)]
    body = [
        ArchGraph(2, (Edge(0, 1, Operation("conv", 3)), Edge(0, 1, shortcut)))
        for shortcut in shortcuts
    ]
    network = ArchGraph.series([*body, head])
    return Topology(network, network, blocks, width, shape=f"resnet-{blocks} post-activation")


def _block_graph(block: BlockName, halving: bool) -> ArchGraph:
    """The branch's nodes in a row, and the shortcut past them."""
    kernels = KERNELS[block]
    shortcut = (
        Operation("conv", 1, role="reduction", activated=False)
        if halving
        else Operation("identity")
    )
    branch = [Edge(i, i + 1, Operation("conv", kernel)) for i, kernel in enumerate(kernels)]
    return ArchGraph(len(kernels) + 1, (*branch, Edge(0, len(kernels), shortcut)))
