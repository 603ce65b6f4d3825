"""``graph_of``: from any module to its graph and the table of its weighted layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Operation, Role
from search_spaces.traced.contract import contract
from search_spaces.traced.network import Layer, LayerUse, TracedNetwork
from search_spaces.traced.propagation.flow import Flow
from search_spaces.traced.propagation.signals import Arrow, Merge, Points, Weights
from search_spaces.traced.reading.effects import find_batch_norms, find_draws
from search_spaces.traced.reading.program import export_program
from search_spaces.traced.roles import Reasoned, projection_shortcuts, roles_of

_COMPUTED = (".parametrizations.",)


def graph_of(
    module: nn.Module,
    example_inputs: Sequence[object] | Tensor,
    *,
    name: str = "",
    roles: Mapping[str, Role] | None = None,
) -> TracedNetwork:
    """Trace ``module(*example_inputs)``: its graph, and a table of its weighted layers.

    A single tensor may stand for a tuple of one. The module is neither edited nor run on numbers,
    and its parameters may be on the meta device. ``roles`` overrides the role of layers, by module
    path or parameter name. Raises ``InvalidInput`` where the module does not export, runs an
    operation without a rule, multiplies two values in a way that no rule covers, is recurrent, or
    has no weights on a path.
    """
    chosen = dict(roles or {})
    for role in chosen.values():
        if role not in get_args(Role):
            raise InvalidInput(f"{role!r} is no role; choose one of {', '.join(get_args(Role))}")
    inputs = (example_inputs,) if isinstance(example_inputs, Tensor) else example_inputs
    program = export_program(module, inputs)
    flow = Flow(program, module)
    arrows, merges = contract(flow.points, flow.run())
    last = max(merges)
    if not any(arrow.weights for arrow in arrows):
        raise InvalidInput("no path from the input to the output passes a layer with weights")
    found = roles_of(arrows, merges, last, [_path(arrow) for arrow in arrows])
    found = [_chosen(chosen, arrow) or role for arrow, role in zip(arrows, found, strict=True)]
    edges = [
        Edge(arrow.source, arrow.target, _operation(arrow, role))
        for arrow, (role, _) in zip(arrows, found, strict=True)
    ]
    network = TracedNetwork(
        name=name or type(module).__name__,
        graph=ArchGraph(last + 1, tuple(edges)),
        layers=tuple(_layers(flow.points, arrows, merges, found)),
        mode=program.mode,
        residual_blocks=sum(kind == "add" for kind in merges.values()),
        width=next((arrow.weights[0].outputs for arrow in arrows if arrow.weights), 0),
        unused=tuple(_unused(module, flow.values.read)),
        draws=find_draws(program),
        batch_norms=find_batch_norms(program),
    )
    for path in chosen:
        network.layer(path)
    return network


def module_path(parameters: Sequence[str]) -> str:
    """The module that owns a weight; of a computed weight (weight_norm), the one that does so."""
    owner = parameters[0].rpartition(".")[0]
    for mark in _COMPUTED:
        owner = (owner + ".").partition(mark)[0].removesuffix(".")
    return owner


def _path(arrow: Arrow) -> str:
    return module_path(arrow.weights[0].parameters) if arrow.weights else ""


def _chosen(roles: Mapping[str, Role], arrow: Arrow) -> Reasoned | None:
    for weights in arrow.weights:
        for name in (module_path(weights.parameters), *weights.parameters):
            if name in roles:
                return roles[name], "chosen by the caller"
    return None


def _operation(arrow: Arrow, role: Role) -> Operation:
    if not arrow.weights:
        return Operation("pool" if arrow.pooled else "identity")
    kinds = {weights.kind for weights in arrow.weights}
    kind = "attention" if "attention" in kinds else arrow.weights[0].kind
    kernel = max(weights.kernel for weights in arrow.weights)
    return Operation(kind, kernel, role, arrow.activated)


def _layers(
    points: Points,
    arrows: Sequence[Arrow],
    merges: Mapping[int, Merge],
    roles: Sequence[Reasoned],
) -> list[Layer]:
    """The table, in the order of execution; layers on no path come where they run."""
    degrees = dict.fromkeys(merges, 0)
    for arrow in arrows:
        degrees[arrow.target] += merges[arrow.target] == "add"
    shortcuts = {a.target for a in arrows if not a.weights}
    projections = projection_shortcuts(arrows, dict(merges))
    shortcuts |= {arrows[number].target for number in projections}
    uses: dict[tuple[str, ...], list[LayerUse]] = {}
    for number, (arrow, (role, reason)) in enumerate(zip(arrows, roles, strict=True)):
        use = LayerUse(
            arrow.source,
            arrow.target,
            role,
            reason,
            max(1, degrees[arrow.source]),
            max(1, degrees[arrow.target]),
            merges[arrow.target] == "add"
            and arrow.target in shortcuts
            and number not in projections,
            arrow.end,
        )
        for parameters in {weights.parameters: None for weights in arrow.weights}:
            uses.setdefault(parameters, []).append(use)
    every: dict[tuple[str, ...], Weights] = {}
    live = (weights for arrow in arrows for weights in arrow.weights)  # attention's kind is known
    acting = {weights.parameters: weights for weights in live}
    for weights in _in_order(points):
        every.setdefault(weights.parameters, acting.get(weights.parameters, weights))
    gates = _making_gates(points)
    idle = {weights.parameters for weights in points.idle}
    absent = {
        key: "reads no input"
        if key in idle
        else "makes a gate"
        if key in gates
        else "makes another output"
        for key in every
    }
    return [_layer(w, tuple(uses.get(key, ())), absent[key]) for key, w in every.items()]


def _making_gates(points: Points) -> set[tuple[str, ...]]:
    """The weights whose values reach a gate."""
    reach = {points.find(point) for point in points.gates}
    found = set()
    for number in range(len(points.points) - 1, -1, -1):
        for arrow in points.points[number].into:
            if number in reach:
                reach.add(points.find(arrow.source))
                found |= {weights.parameters for weights in arrow.weights}
    return found


def _in_order(points: Points) -> Iterable[Weights]:
    found = [w for point in points.points for arrow in point.into for w in arrow.weights]
    return sorted([*found, *points.idle], key=lambda weights: weights.order)


def _layer(weights: Weights, uses: tuple[LayerUse, ...], absent: str) -> Layer:
    role: Role = uses[0].role if uses else "body"
    reason = uses[0].reason if uses else f"on no path: {absent}"
    if len(uses) > 1:
        others = ", ".join(sorted({use.role for use in uses}))
        reason += f"; used {len(uses)} times ({others})"
    return Layer(
        module_path(weights.parameters),
        weights.parameters,
        weights.kind,
        weights.kernel,
        weights.fan_in,
        weights.fan_out,
        role,
        reason,
        uses,
        weights.computed,
    )


def _unused(module: nn.Module, read: set[str]) -> list[str]:
    """Modules with parameters of their own that no traced operation reads."""
    names = {id(p): n for n, p in reversed(list(module.named_parameters(remove_duplicate=False)))}
    unread = [n for n, p in module.named_parameters() if names[id(p)] not in read]
    return list(dict.fromkeys(module_path([name]) for name in unread))
