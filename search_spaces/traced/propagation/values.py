"""What is known, while a program is read, of the value of every operation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from torch import fx, nn

from search_spaces.errors import InvalidInput
from search_spaces.layers import Node
from search_spaces.traced.propagation.signals import Merge, Points, Signal, Value
from search_spaces.traced.reading import operations as ops
from search_spaces.traced.reading.nodes import (
    called_again,
    find_aliasing,
    inner_module,
    is_floating,
    numel_of,
    operand_nodes,
    operation_name,
    place_of,
)
from search_spaces.traced.reading.program import Program

NOTHING: frozenset[str] = frozenset()
"""A value that neither input nor parameters reach."""

Term = tuple[fx.Node | None, Signal]


class Values:
    """The value of every node, views sharing that of what they show; ``points`` grow with them.

    ``read`` holds the names of parameters that operations read, ``refused`` the operations that no
    rule covers, with their places, and ``computed`` those whose result has other numbers than the
    parameters behind it.
    """

    def __init__(self, program: Program, module: nn.Module):
        self.points = Points()
        self.refused: dict[str, str] = {}
        self.read: set[str] = set()
        self.computed: set[fx.Node] = set()
        self._program = program
        self._called_again = called_again(program.graph_module.graph.nodes)
        self._known: dict[fx.Node, Value] = {}
        self._roots: dict[fx.Node, fx.Node] = {}
        self._nodes = {
            name
            for name, child in module.named_modules(remove_duplicate=False)
            if isinstance(child, Node)
        }
        canonical: dict[int, str] = {}
        self._names = {
            name: canonical.setdefault(id(parameter), name)
            for name, parameter in module.named_parameters(remove_duplicate=False)
        }

    def marks_node(self, node: fx.Node) -> bool:
        """Whether an ``alias`` stands where a ``Node`` was called."""
        return place_of(node) in self._nodes

    def start(self, placeholder: fx.Node) -> None:
        """Give a placeholder its value: input, parameter (by identity in the module), or buffer."""
        if placeholder in self._roots:
            return
        name = self._program.parameters.get(placeholder.name)
        if placeholder.name in self._program.inputs:
            self._known[placeholder] = Signal(0, integer=not is_floating(placeholder))
        else:
            self._known[placeholder] = (
                NOTHING if name is None else frozenset([self._names.get(name, name)])
            )

    def alias(self, node: fx.Node, of: fx.Node) -> None:
        """Say that ``node`` is another name of ``of`` or of a part of it."""
        self._roots[node] = self.root(of)

    def root(self, node: fx.Node) -> fx.Node:
        """The node whose numbers ``node`` shows."""
        while node in self._roots:
            node = self._roots[node]
        return node

    def is_computed(self, node: fx.Node) -> bool:
        """Whether a value that no input reaches has other numbers than parameters have."""
        while node not in self.computed and node in self._roots:
            node = self._roots[node]
        return node in self.computed

    def set(self, node: fx.Node, value: Value) -> None:
        """Give an operation's result its value, in place where the operation writes in place."""
        first = node.args[0] if node.args else None
        aliases, writes = find_aliasing(node)
        if isinstance(first, fx.Node) and writes:
            root = self.root(first)
            if root is not first and numel_of(root) != numel_of(first):
                value = self.combined(self.value(root), value)
            self._known[root] = value
            self._roots[node] = root
        elif isinstance(first, fx.Node) and aliases and value == self.value(first):
            self.alias(node, first)
        else:
            self._known[node] = value

    def value(self, argument: object) -> Value:
        """The value of an argument; numbers and sizes are ``NOTHING``."""
        if not isinstance(argument, fx.Node):
            return NOTHING
        value = self._known[self.root(argument)]
        if isinstance(value, Signal):
            return replace(value, point=self.points.find(value.point))
        return value

    def signal(self, argument: object) -> Signal | None:
        """The signal of an argument, where it has one that weights can read."""
        value = self.value(argument)
        return value if isinstance(value, Signal) and not value.integer else None

    def terms(self, arguments: Iterable[object]) -> list[Term]:
        """The signals among arguments, with their nodes."""
        found: list[Term] = []
        for node in operand_nodes(list(arguments)):
            signal = self.signal(node)
            if signal is not None:
                found.append((node, signal))
        return found

    def refuse(self, node: fx.Node, how: str = "") -> None:
        """Note an operation that no rule covers; reading goes on, to list them all."""
        name = f"{operation_name(node)}{' ' if how else ''}{how}"
        self.refused.setdefault(name, f"at {place_of(node)}")

    def settled(self, signal: Signal) -> Signal:
        """The signal, unless it is a product that no rule covers."""
        if signal.product:
            raise InvalidInput(
                f"{signal.product} multiplies two values that are neither one value, nor "
                "projections of one, nor a gate with a bounded range; tracing has no rule for it"
            )
        return signal

    def joined(self, merge: Merge, node: fx.Node, terms: list[Term]) -> Signal:
        """The signal that a merge of terms makes."""
        ends = [self._branch_end(term, node) for term, _ in terms]
        signals = [self.settled(signal) for _, signal in terms]
        return Signal(self.points.join(merge, signals, ends))

    def _branch_end(self, term: fx.Node | None, merge: fx.Node) -> str:
        """The module whose output is a term, but for constant factors: a forward hook on it scales
        the term. Nothing where no module makes it, or one that is called elsewhere too."""
        while term is not None:
            module = inner_module(term, merge)
            if module:
                return "" if module in self._called_again else module
            name = operation_name(term)
            behind = self.terms(term.args)
            linear = name in ops.MULTIPLICATIONS or name in ops.LINEAR
            term = behind[0][0] if linear and len(behind) == 1 else None
        return ""

    def combined(self, old: Value, new: Value) -> Value:
        """What a value is after a part of it was overwritten."""
        if not isinstance(old, Signal):
            return replace(new, direct=False) if isinstance(new, Signal) else old | new
        if not isinstance(new, Signal):
            return replace(old, direct=False)
        if self.points.find(old.point) == self.points.find(new.point):
            return old.beside(new)
        return Signal(self.points.join("cat", [self.settled(old), self.settled(new)], ["", ""]))
