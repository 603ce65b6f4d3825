"""Reading one operation of an exported graph: its name, operands, place and aliases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, fx


def operation_name(node: fx.Node) -> str:
    """The name in ``search_spaces.traced.reading.operations``: ``add`` for ``aten.add_.Tensor``."""
    if isinstance(node.target, torch._ops.OpOverload):
        name = node.target._schema.name.partition("::")[2]
        return name[:-1] if name.endswith("_") and not name.endswith("__") else name
    return getattr(node.target, "__name__", str(node.target))


def operand_nodes(arguments: object) -> Iterator[fx.Node]:
    """The nodes among arguments, in order, lists opened."""
    if isinstance(arguments, fx.Node):
        yield arguments
    elif isinstance(arguments, (list, tuple)):
        for argument in arguments:
            yield from operand_nodes(argument)
    elif isinstance(arguments, dict):
        yield from operand_nodes(list(arguments.values()))


def tensor_of(node: fx.Node) -> Tensor | None:
    """The value without numbers that export gave a node; the first of several."""
    value = node.meta.get("val")
    if isinstance(value, (list, tuple)):
        value = next((part for part in value if isinstance(part, Tensor)), None)
    return value if isinstance(value, Tensor) else None


def shape_of(node: fx.Node) -> tuple[int, ...]:
    """A node's sizes; empty where it is no tensor."""
    value = tensor_of(node)
    return () if value is None else tuple(int(size) for size in value.shape)


def numel_of(node: fx.Node) -> int:
    """How many numbers a node holds."""
    return torch.Size(shape_of(node)).numel()


def is_floating(node: fx.Node) -> bool:
    """Whether a node's value can carry a gradient."""
    value = tensor_of(node)
    return value is not None and (value.is_floating_point() or value.is_complex())


def module_stack(node: fx.Node) -> list[tuple[str, str]]:
    """(path, class) of the modules whose code ran the operation, outermost first."""
    stack = []
    for path, kind in (node.meta.get("nn_module_stack") or {}).values():
        name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
        stack.append((path.partition("@")[0], name))
    return stack


def place_of(node: fx.Node) -> str:
    """The path of the innermost module; or the network itself."""
    stack = module_stack(node)
    return (stack[-1][0] if stack else "") or "the network itself"


def called_again(nodes: Iterable[fx.Node]) -> set[str]:
    """The paths of modules that are called more than once: a later call reads ``path@1``."""
    return {
        path.partition("@")[0]
        for node in nodes
        for path, _ in (node.meta.get("nn_module_stack") or {}).values()
        if "@" in path
    }


def inner_module(operand: fx.Node, merge: fx.Node) -> str:
    """The innermost module that made an operand inside the module that merges it, or nothing."""
    inside = [path for path, _ in module_stack(operand)]
    around = [path for path, _ in module_stack(merge)]
    return inside[-1] if len(inside) > len(around) and inside[: len(around)] == around else ""


def find_aliasing(node: fx.Node) -> tuple[bool, bool]:
    """Whether the result is a view of the first argument, and whether that is overwritten."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return False, False
    schema = node.target._schema
    first = schema.arguments[0].alias_info if schema.arguments else None
    if first is None:
        return False, False
    return not first.is_write, bool(first.is_write)
