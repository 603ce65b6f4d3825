"""The 59,049 five-node DAGs of arXiv 2402.17440, as MLPs and as CNNs.

A code such as ``2_02_002_0002`` names, for each of nodes 1 to 4, the edges from all nodes before
it: 0 absent, 1 skip, 2 weighted (a linear layer or a convolution). z_0 = W x is the stem,
z_l = sum of z_l' over skips and of W phi(z_l') over weighted edges, logits = W phi(z_4) + b (CNNs
average over positions first). These are the paper's networks, its eq. 1 with skips. Hidden layers
have no bias, as in the theory; normalization follows each weighted edge. Edges on no input-output
path are not built: nothing of them is ever felt.

``form="released-code"`` has the networks of the paper's released code, with an activation after
every weighted edge and after the stem, so that skips carry activated values, and with biases
(``search_spaces.dag.released_network``); there the in-degrees that initializations read count dead
edges too. The rule ``path-cubed:released-code`` draws its weights.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations, product
from typing import TYPE_CHECKING, ClassVar, Literal

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Kind, Operation
from search_spaces.options import LATER, CommonOptions, draw, require_choice
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn

EDGES = tuple((source, target) for target in range(1, 5) for source in range(target))
N_DAGS = 3 ** len(EDGES)

DagForm = Literal["paper", "released-code"]
Dag = tuple[int, ...]
"""Ten digits, one per edge of EDGES: 0 absent, 1 skip, 2 weighted."""


def write(dag: Dag) -> str:
    """The code of a DAG, such as ``2_02_002_0002``."""
    digits = "".join(map(str, dag))
    return "_".join((digits[:1], digits[1:3], digits[3:6], digits[6:]))


@lru_cache(maxsize=1 << 17)
def read(text: str) -> Dag:
    """The DAG of a code; ``InvalidInput`` shows the wrong piece."""
    text = text.strip()
    if not re.fullmatch("[0-9]_[0-9]{2}_[0-9]{3}_[0-9]{4}", text):
        raise InvalidInput(
            f"{text!r} is not a five-node DAG; write groups of 1, 2, 3 and 4 digits, "
            f"such as 2_02_002_0002"
        )
    wrong = re.search("[3-9]", text)
    if wrong:
        raise InvalidInput(
            f"digit {wrong[0]} in {text!r} is no edge; use 0 (absent), 1 (skip) or 2 (weighted)"
        )
    return tuple(int(digit) for digit in text if digit != "_")


@lru_cache(maxsize=1 << 16)
def _live(dag: Dag) -> Dag:
    """The DAG with only the edges that lie on an input-output path."""
    absent = ArchGraph(
        5,
        tuple(
            Edge(source, target, Operation("identity"))
            for digit, (source, target) in zip(dag, EDGES, strict=True)
            if digit
        ),
    )
    live = {(edge.source, edge.target) for edge in absent.live_edges}
    return tuple(digit * (edge in live) for digit, edge in zip(dag, EDGES, strict=True))


def _renumbered(dag: Dag) -> Iterator[Dag]:
    """The same DAG with its middle nodes in every other topological order."""
    for order in permutations((1, 2, 3)):
        number = dict(zip((0, *order, 4), range(5), strict=True))
        digits = dict.fromkeys(EDGES, 0)
        for digit, (source, target) in zip(dag, EDGES, strict=True):
            if digit:
                digits[number[source], number[target]] = digit
        if len(digits) == len(EDGES):  # an edge that ran backward would have added a key
            yield tuple(digits.values())


@lru_cache(maxsize=1 << 16)
def canonical_dag(dag: Dag) -> Dag:
    """The smallest code among those of the same live edges, up to the numbering of nodes."""
    return min(_renumbered(_live(dag)))


def dag_graph(dag: Dag, weighted: Operation) -> ArchGraph:
    """The five-node graph."""
    operations = {1: Operation("identity"), 2: weighted}
    return ArchGraph(
        5,
        tuple(
            Edge(source, target, operations[digit])
            for digit, (source, target) in zip(dag, EDGES, strict=True)
            if digit
        ),
    )


@lru_cache(maxsize=1 << 16)
def _topology(dag: Dag, form: DagForm, kind: Kind, kernel: int, width: int) -> Topology:
    cell = dag_graph(dag, Operation(kind, kernel))
    after = form == "released-code"  # the stem has its nonlinearity, the head has none
    stem = Operation(kind, kernel, role="stem", activated=after)
    head = Operation("linear", role="head", activated=not after)
    network = ArchGraph.series([ArchGraph.single(stem), cell, ArchGraph.single(head)])
    shape = f"dag {write(dag)}" + (f" {form}" if after else "")
    return Topology(cell, network, network.additions, width, kernel, shape)


@dataclass(frozen=True, kw_only=True)
class _Dag(CommonOptions, ABC):
    """What MLP and CNN DAGs share: names, classes, graphs, whose networks they are."""

    form: DagForm = field(default="paper", metadata=LATER)

    base_architecture: ClassVar[str] = "1_01_001_0001"
    published_rate: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_choice("form", self.form, ("paper", "released-code"))

    def architectures(self, sample: int | None = None, seed: int = 0) -> list[str]:
        """All codes in rising order (2,471 of them without a path), or a uniform sample."""
        dags: Sequence[Dag] = list(product(range(3), repeat=len(EDGES)))
        return [write(dag) for dag in draw(dags, sample, seed)]

    def parse(self, text: str) -> str:
        """The code, checked."""
        return write(read(text))

    def canonical(self, architecture: str) -> str:
        """The smallest code of the same live edges, up to the numbering of nodes.

        In the released code's form dead edges count in in-degrees, so that they stay.
        """
        dag = read(architecture)
        return write(canonical_dag(dag) if self.form == "paper" else min(_renumbered(dag)))

    def graph(self, architecture: str) -> ArchGraph:
        """The five-node graph, dead edges among it."""
        return dag_graph(read(architecture), Operation(*self._weights))

    def topology(self, architecture: str) -> Topology:
        """The graphs of an architecture, dead edges left out: one object per set of live edges."""
        return _topology(_live(read(architecture)), self.form, *self._weights, self.width)

    def _build(
        self, architecture: str, kernel: int | None, replicas: int, inputs: int, classes: int
    ) -> nn.Module:
        """The network of this form."""
        from search_spaces.dag.network import DagNetwork
        from search_spaces.dag.released_network import ReleasedDagNetwork

        network = self.topology(architecture).network
        if self.form == "paper":
            return DagNetwork(self, network, kernel, replicas, inputs, classes)
        targets = [edge.target for edge in self.graph(architecture).edges]
        # Node 1 of the network is node 0 of the DAG, which the stem alone reaches.
        degrees = (0, 1, *(targets.count(node) for node in range(1, 5)))
        return ReleasedDagNetwork(self, network, kernel, replicas, inputs, classes, degrees)

    @property
    @abstractmethod
    def _weights(self) -> tuple[Kind, int]:
        """Kind and kernel side of the weighted edges."""


@dataclass(frozen=True, kw_only=True)
class DagMlp(_Dag):
    """``width`` units per node."""

    width: int = 128

    name: ClassVar[str] = "dag-mlp"
    version: ClassVar[int] = 1

    @property
    def _weights(self) -> tuple[Kind, int]:
        return "linear", 1

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC; images are flattened."""
        channels, height, width = in_shape
        return self._build(architecture, None, replicas, channels * height * width, classes)


@dataclass(frozen=True, kw_only=True)
class DagCnn(_Dag):
    """``width`` channels per node; the paper's ``kernel`` sides are 3, 5 and 7."""

    kernel: int = 3

    name: ClassVar[str] = "dag-cnn"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_choice("kernel", self.kernel, (3, 5, 7))

    @property
    def _weights(self) -> tuple[Kind, int]:
        return "conv", self.kernel

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC."""
        return self._build(architecture, self.kernel, replicas, in_shape[0], classes)
