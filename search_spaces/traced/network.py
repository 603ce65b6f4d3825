"""What tracing gives: the graph of a network and the table of its weighted layers."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Kind, Role
from search_spaces.space import Topology
from search_spaces.traced.reading.program import Mode


@dataclass(frozen=True)
class LayerUse:
    """One place where a layer stands: an edge of the graph, and what is at its ends.

    In-degrees are d_in of the nodes at the ends, as sums count (a concatenation adds nothing up,
    and has 1); ``branch`` marks the last layer of a residual branch, and ``branch_end`` the module
    whose output is the whole branch: what a branch multiplier scales ("" where none has it alone).
    """

    source: int
    target: int
    role: Role
    reason: str
    source_in_degree: int
    target_in_degree: int
    branch: bool
    branch_end: str


@dataclass(frozen=True)
class Layer:
    """A weighted layer, keyed by its module's path and its parameters' names.

    ``fan_in`` counts the inputs to one output unit, ``fan_out`` the outputs times kernel positions.
    ``role`` and ``reason`` are those of its first use; a layer used several times has one rate for
    all its places. ``uses`` is empty for a layer on no input-output path. ``computed`` says that
    the weight is made of the parameters by the module's code, as under weight or spectral norm.
    """

    module: str
    parameters: tuple[str, ...]
    kind: Kind
    kernel: int
    fan_in: int
    fan_out: int
    role: Role
    reason: str
    uses: tuple[LayerUse, ...]
    computed: bool = False

    @property
    def source_in_degree(self) -> int:
        """The largest d_in before the layer, 1 where it is on no path."""
        return max((use.source_in_degree for use in self.uses), default=1)

    @property
    def released_in_degree(self) -> int:
        """As ``source_in_degree``: no released code draws a traced module."""
        return self.source_in_degree

    @property
    def target_in_degree(self) -> int:
        """The largest d_in behind the layer, 1 where it is on no path."""
        return max((use.target_in_degree for use in self.uses), default=1)

    @property
    def branch(self) -> bool:
        """Whether it ends a residual branch anywhere."""
        return any(use.branch for use in self.uses)

    @property
    def branch_end(self) -> str:
        """The module whose output a branch multiplier scales; "" where there is not exactly one."""
        ends = {use.branch_end for use in self.uses if use.branch}
        return ends.pop() if len(ends) == 1 else ""

    @property
    def readout(self) -> bool:
        """Whether it makes the output."""
        return self.role == "head" and bool(self.uses)


@dataclass(frozen=True, eq=False)
class TracedNetwork:
    """A module's graph and layers; ``mode`` is the one it was traced in.

    ``unused`` are the paths of modules with parameters that the traced code never read, ``draws``
    those whose code draws random numbers, ``batch_norms`` those with statistics over the batch.
    """

    name: str
    graph: ArchGraph
    layers: tuple[Layer, ...]
    mode: Mode
    residual_blocks: int
    width: int
    unused: tuple[str, ...]
    draws: tuple[str, ...] = ()
    batch_norms: tuple[str, ...] = ()

    @cached_property
    def topology(self) -> Topology:
        """What rules and conventions read: the whole network is its own cell.

        ``width`` is what the first layer makes; ``kernel`` the commonest side above 1 of body and
        reductions, else 1; ``residual_blocks`` counts additions, concatenations left out.
        """
        return Topology(
            self.graph,
            self.graph,
            self.residual_blocks,
            self.width,
            self._kernel(),
            shape=f"traced {self.name}",
        )

    def _kernel(self) -> int:
        operations = [edge.operation for edge in self.graph.live_edges if edge.operation.weighted]
        inner = [o.kernel for o in operations if o.role in ("body", "reduction")]
        sides = Counter(side for side in inner or [o.kernel for o in operations] if side > 1)
        return min(sides, key=lambda side: (-sides[side], side), default=1)

    def layer(self, module: str) -> Layer:
        """The layer of a module path or parameter name; raises ``InvalidInput`` with near ones."""
        for layer in self.layers:
            if module == layer.module or module in layer.parameters:
                return layer
        names = [layer.module for layer in self.layers]
        near = difflib.get_close_matches(module, names, n=3) or names[:3]
        raise InvalidInput(f"{self.name} has no layer {module!r}; did you mean {', '.join(near)}?")
