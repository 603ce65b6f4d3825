"""A pretend accelerator: tensors that say they lie on another device and are computed on the CPU.

It refuses what a GPU refuses: an operation that mixes its tensors with the CPU's, and, while a
graph is captured, every copy to or from the host, every wait for a value and every random number.
A captured graph is the list of operations that ran, on the very tensors that they ran on; a replay
runs them again into the same tensors, as CUDA does.

Its autocast rounds the factors of products, and its forward-mode derivatives are two backward
passes. It shows neither speed nor kernels' own errors.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

from benchmark.engine import chunk_size, engine
from benchmark.study.recipe import Recipe
from benchmark.training import loop, step

torch_autocast = step.autocast
NAME = "pretend"
# Before any backward pass of the process, which fixes how many kinds of devices autograd serves.
backend_registration._setup_privateuseone_for_python_backend(NAME)
aten = torch.ops.aten
COPIES = {aten._to_copy.default, aten.copy_.default}
INDEXING = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default}
WAITS = {
    aten._local_scalar_dense.default,
    aten.item.default,
    aten.nonzero.default,
    aten.masked_select.default,
}


class RefusedError(RuntimeError):
    """What a GPU would not have done."""


class Held(torch.Tensor):
    """A tensor of the device; ``raw`` is the CPU's tensor with its numbers."""

    raw: Tensor

    @staticmethod
    def __new__(cls, raw: Tensor) -> Held:
        held: Held = torch.Tensor._make_wrapper_subclass(
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=torch.device(f"{NAME}:0"),
        )
        held.raw = raw
        return held

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Held({self.raw})"

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func == torch.Tensor.tolist:
            return args[0].cpu().tolist()
        if AUTOCAST and func in LOWERED:
            args, kwargs = tree_map(lower, (args, kwargs or {}))
        result = torch._C._disabled_torch_function_impl(func, types, args, kwargs or {})
        if func == torch.Tensor.data.__set__:  # type: ignore[attr-defined]
            args[0].raw = args[1].raw
        return result

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return dispatch(func, args, kwargs or {})


AUTOCAST: list[torch.dtype] = []
"""The type to which products round their factors, in an autocast's context."""
LOWERED = {torch.conv2d, F.conv2d, torch.bmm, torch.baddbmm, torch.matmul, torch.Tensor.matmul}
LOWERED |= {F.linear, F.scaled_dot_product_attention, torch.Tensor.__matmul__}


def lower(value: Any) -> Any:
    """A factor of a product as an autocast hands it over."""
    if AUTOCAST and isinstance(value, Tensor) and value.dtype == torch.float32:
        return value.to(AUTOCAST[-1])
    return value


@contextlib.contextmanager
def autocast(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """``step.autocast`` of the device; elsewhere torch's own."""
    if device.type != NAME or recipe.precision != "bfloat16":
        with torch_autocast(recipe, device):
            yield
        return
    AUTOCAST.append(torch.bfloat16)
    try:
        yield
    finally:
        AUTOCAST.pop()


class Recorded:
    """A captured graph: operations with the tensors that they read and those that they fill."""

    def __init__(self) -> None:
        self.operations: list[tuple[Callable[..., Any], Any, Any, list[Tensor]]] = []
        self.replays = 0

    def add(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Note an operation that was computed; views need no computing again."""
        inputs = {id(leaf) for leaf in tree_leaves((args, kwargs))}
        places = {t.untyped_storage().data_ptr() for t in tensors_in((args, kwargs))}
        mutable = func._schema.is_mutable
        made = [t for t in tensors_in(result) if id(t) not in inputs and t.numel()]
        if made and not mutable and all(t.untyped_storage().data_ptr() in places for t in made):
            return
        self.operations.append((func, args, kwargs, [] if mutable and not made else made))

    def replay(self) -> None:
        """Compute it all again, into the same tensors."""
        self.replays += 1
        note_launch("replay")
        for func, args, kwargs, made in self.operations:
            again = [t for t in tensors_in(func(*args, **kwargs)) if t.numel()]
            for place, value in zip(made, again[-len(made) :] if made else [], strict=True):
                place.copy_(value)


CAPTURING: list[Recorded] = []
"""The graph that is being captured, if one is."""


def tensors_in(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def unwrap(value: Any) -> Any:
    if isinstance(value, Held):
        return value.raw
    if isinstance(value, torch.device) and value.type == NAME:
        return torch.device("cpu")
    return value


def check(func: Any, args: Any, kwargs: Any) -> None:
    """Raise ``RefusedError`` where a GPU would not take these arguments."""
    tensors = tensors_in((args, kwargs))
    held = [t for t in tensors if isinstance(t, Held)]
    foreign = [t for t in tensors if not isinstance(t, Held)]
    if CAPTURING:
        if func in WAITS:
            raise RefusedError(f"{func} waits for a value in a capture")
        if func in COPIES and (foreign or torch.device(kwargs.get("device") or NAME).type != NAME):
            raise RefusedError(f"{func} copies between host and device in a capture")
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise RefusedError(f"{func} draws random numbers in a capture")
    if held and foreign and func not in COPIES:
        mixed = [t for t in foreign if t.dim() > 0]
        if func in INDEXING and isinstance(args[0], Held):
            mixed = [t for t in mixed if t.dtype not in (torch.int64, torch.bool)]
        if mixed:
            raise RefusedError(
                f"{func} mixes devices: a tensor {tuple(mixed[0].shape)} is the CPU's"
            )
        if CAPTURING:
            raise RefusedError(f"{func} reads a number of the CPU in a capture")


def dispatch(func: Any, args: Any, kwargs: Any) -> Any:
    """One operation, computed on the CPU and held on the device."""
    tensors = tensors_in((args, kwargs))
    device = kwargs.get("device")
    to_held = device is not None and torch.device(device).type == NAME
    if not to_held and not any(isinstance(t, Held) for t in tensors):
        return func(*args, **kwargs)
    check(func, args, kwargs)
    if not func.is_view:
        note_launch(str(func))
    raw_args, raw_kwargs = tree_map(unwrap, args), tree_map(unwrap, kwargs)
    result = func(*raw_args, **raw_kwargs)
    if CAPTURING:
        CAPTURING[-1].add(func, raw_args, raw_kwargs, result)
    if func is aten.copy_.default:
        return args[0]
    if device is not None and not to_held:
        return result.clone() if any(result is t for t in tensors_in(raw_args)) else result
    held = tree_map(lambda t: Held(t) if isinstance(t, Tensor) else t, result)
    try:
        return return_and_correct_aliasing(func, args, kwargs, held)
    except Exception:
        if func._schema.is_mutable and isinstance(args[0], Held):
            return args[0]
        raise


class Dispatcher(TorchDispatchMode):
    """Sends operations that only create tensors to the device too."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatch(func, args, kwargs or {})


class Stream:
    """A stream in which everything has happened already."""

    def wait_stream(self, other: Stream) -> None:
        pass


@contextlib.contextmanager
def capture(graph: Recorded) -> Iterator[None]:
    CAPTURING.append(graph)
    try:
        yield
    finally:
        CAPTURING.pop()


def backward_in_place(self: step.Step, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
    """``Step.__call__``, but that autograd adds to a subclass's gradient out of place, and to a
    GPU's in its place."""
    with autocast(self.recipe, x_BKHW.device):
        logits_RBC = self.module(x_BKHW)
    loss_R = step.compute_losses(logits_RBC.to(x_BKHW), y_RB, self.recipe.label_smoothing)
    parameters = [p for p in self.module.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(loss_R.sum(), parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            assert parameter.grad is not None
            parameter.grad.add_(gradient)
    return loss_R.detach()


def bring_home(tree: Any) -> Any:
    """Copies on the CPU: a real device's tensors are saved as they are."""
    return tree_map(lambda leaf: leaf.cpu() if isinstance(leaf, Held) else leaf, tree)


LAUNCHES: list[list[str]] = []


def note_launch(name: str) -> None:
    for launched in LAUNCHES:
        launched.append(name)


@contextlib.contextmanager
def count_launches() -> Iterator[list[str]]:
    """The operations that the device is asked for one by one, and its replays."""
    LAUNCHES.append([])
    try:
        yield LAUNCHES[-1]
    finally:
        LAUNCHES.pop()


def differentiate_twice(
    function: Callable[..., tuple[Tensor, ...]], inputs: Any, tangents: Any
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """``torch.func.jvp`` by two backward passes: forward mode knows no subclasses of tensors.

    The gradient g(u) of u z(x) by x is linear in u, so that the gradient of g(u) v by u is the
    derivative of z along v.
    """
    inputs = [each.detach().requires_grad_() for each in inputs]
    values = function(*inputs)
    aside = [torch.zeros_like(value).requires_grad_() for value in values]
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    gradients = torch.autograd.grad(values, inputs, aside, create_graph=True, **options)
    changes = torch.autograd.grad(gradients, aside, [*tangents], **options)
    return tuple(value.detach() for value in values), changes


@contextlib.contextmanager
def pretend_accelerator() -> Iterator[list[Recorded]]:
    """The device ``pretend:0`` for the engine, with steps captured as on a GPU; the graphs."""
    graphs: list[Recorded] = []
    save = torch.save
    make_tensor, make_new = torch.tensor, torch.Tensor.new_tensor

    def tensor(data: Any, *, device: Any = None, **options: Any) -> Tensor:
        made = make_tensor(data, **options)
        held = device is not None and torch.device(device).type == NAME
        return Held(made) if held else made

    def new_tensor(self: Tensor, data: Any, **options: Any) -> Tensor:
        if not isinstance(self, Held):
            return make_new(self, data, **options)
        return Held(make_tensor(data, dtype=options.get("dtype", self.dtype)))

    def create_graph() -> Recorded:
        graphs.append(Recorded())
        return graphs[-1]

    choose_step = step.choose_step

    def choose(module: Any, recipe: Recipe, device: torch.device, *rest: Any) -> step.Step:
        as_gpu = torch.device("cuda") if device.type == NAME else device
        return choose_step(module, recipe, as_gpu, *rest)

    with pytest.MonkeyPatch.context() as patch, Dispatcher():  # type: ignore[no-untyped-call]
        patch.setattr(torch, "tensor", tensor)
        patch.setattr(torch.Tensor, "new_tensor", new_tensor)
        patch.setattr(torch.cuda, "CUDAGraph", create_graph)
        patch.setattr(torch.cuda, "graph", capture)
        patch.setattr(torch.cuda, "Stream", Stream)
        patch.setattr(torch.cuda, "current_stream", Stream)
        patch.setattr(torch.cuda, "stream", contextlib.nullcontext)
        patch.setattr(torch.cuda, "empty_cache", lambda: None)
        patch.setattr(step.Step, "__call__", backward_in_place)
        patch.setattr(loop, "choose_step", choose)
        patch.setattr(loop, "autocast", autocast)
        patch.setattr(torch.func, "jvp", differentiate_twice)
        patch.setattr(torch, "save", lambda state, file: save(bring_home(state), file))
        patch.setattr(loop, "evaluate", torch.no_grad()(loop.evaluate.__wrapped__))  # type: ignore[attr-defined]
        patch.setattr(engine, "prepare_device", lambda _, tf32: None)
        patch.setattr(chunk_size.ChunkLimits, "choose", lambda *_: 4)
        yield graphs
