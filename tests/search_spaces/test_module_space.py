"""The space ``module``: whose code a result is of, and what copies cannot do, in one sentence."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support.networks import TRANSFORMER
from support.replicas import replica
from torch import nn

from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from benchmark.training.process_group import Ranks
from search_spaces.errors import InvalidInput
from search_spaces.modules.building import build_replicated
from search_spaces.modules.source import hash_source
from search_spaces.registry import create, identify_options

FACTORY = """
from torch import nn

def build(depth, width, classes, in_shape):
    first, last = nn.Linear({inputs}, width), nn.Linear(width, classes)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), last)
"""
SHAPE = (1, 8, 8)
Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes the file of a module ``their_networks`` that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions in one second

    def write_file(text: str) -> None:
        (tmp_path / "their_networks.py").write_text(text)

    yield write_file
    sys.modules.pop("their_networks", None)


def identify() -> str:
    space = create("module", factory="their_networks:build", width=4)
    return Unit(
        measure="training",
        space="module",
        space_version=1,
        space_options=identify_options("module", space),
        architecture="module-1",
        replicas=(replica(0.1, 0),),
        recipe=Recipe(),
        dataset="digits",
        dataset_checksum="",
    ).id


def test_a_result_of_changed_code_is_not_found_as_done(write: Write) -> None:
    write(FACTORY.format(inputs=64))
    first, old = identify(), create("module", factory="their_networks:build", width=4)
    assert identify() == first
    write(FACTORY.format(inputs="64 * 1"))
    assert identify() != first
    with pytest.raises(InvalidInput, match=r"has changed: its file's hash is .*plan anew"):
        old.build("module-1", 1, SHAPE, 10)
    new = create("module", factory="their_networks:build", width=4)
    assert new.build("module-1", 1, SHAPE, 10)(torch.zeros(2, 1, 8, 8)).shape == (1, 2, 10)
    loaded = identify()
    write(FACTORY.format(inputs="32 * 2"))
    assert identify() == loaded  # this process still runs what it has imported


def test_equal_files_elsewhere_are_one_network(write: Write) -> None:
    write(FACTORY.format(inputs=64))
    space = create("module", factory="their_networks:build", width=4)
    again = create("module", **dict(identify_options("module", space)))
    assert again == space
    assert hash(again) == hash(space)


@pytest.mark.parametrize(
    ("text", "factory", "sentence"),
    [
        ("", "their_networks", "names no function; write package.module:function"),
        ("", "no_such_package.nets:build", "No module named 'no_such_package'"),
        ("", "no_such_module:build", "there is no module 'no_such_module'"),
        ("", "__main__:build", "is in no file that another process could import"),
        ("", "math:sqrt", "is in no file that another process could import"),
        ("build = 3", "their_networks:build", "their_networks has no function 'build'"),
        ("1 / 0", "their_networks:build", "cannot be imported: division by zero"),
        (
            "from search_spaces.modules.example import build_residual as build",
            "their_networks:build",
            "is written in search_spaces.modules.example; name it there",
        ),
        (
            "def build(**_): raise RuntimeError('no such width')",
            "their_networks:build",
            "module-1 cannot be built: no such width",
        ),
        (
            "def build(**_): raise SystemExit(3)",
            "their_networks:build",
            "module-1 cannot be built: 3",
        ),
        (
            "def build(): return None",
            "their_networks:build",
            "module-1 cannot be built: build() got an unexpected keyword argument",
        ),
    ],
)
def test_a_wrong_factory_is_one_sentence(
    write: Write, text: str, factory: str, sentence: str
) -> None:
    write(text)
    with pytest.raises(InvalidInput) as caught:
        create("module", factory=factory).build("module-1", 1, SHAPE, 10)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


class Group(Ranks):
    """Two processes, as layers see them before any exchange."""

    size = 2


class OwnNorm(nn.BatchNorm1d):
    """A norm of another package."""


class Made:
    """A space of one network."""

    def __init__(self, module: Callable[[], nn.Module]) -> None:
        self.module = module

    def make(self, *_: object) -> nn.Module:
        return self.module()


def flat(*layers: Callable[[], nn.Module]) -> Any:
    return Made(lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 8), *[each() for each in layers]))


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (lambda: nn.Dropout(0.1), "2 draws random numbers in training"),
        (lambda: nn.RReLU(), "2 draws random numbers in training"),
        (lambda: OwnNorm(8), "2 (OwnNorm) takes statistics over the batch by its own code"),
        (lambda: nn.Dropout(0.0), ""),
        (lambda: nn.BatchNorm1d(8), ""),
    ],
)
def test_ranks_are_refused_where_copies_could_not_be_equal(
    layer: Callable[[], nn.Module], sentence: str
) -> None:
    module = build_replicated(flat(layer, lambda: nn.Linear(8, 3)), "one", 2, SHAPE, 3)
    Ranks().join(module)
    if not sentence:
        Group().join(module)
        return
    with pytest.raises(InvalidInput) as caught:
        Group().join(module)
    assert str(caught.value).startswith(sentence)
    assert "one rank" in str(caught.value)


def test_attention_that_drops_is_known_to_draw() -> None:
    module = create("module", factory=TRANSFORMER, width=8).build("module-1", 1, SHAPE, 10)
    assert module.streams.places[0] == "blocks.0.self_attn"  # type: ignore[union-attr, index]


def test_what_gives_no_scores_is_refused() -> None:
    module = build_replicated(flat(lambda: nn.Unflatten(1, (2, 4))), "one", 1, SHAPE, 3)
    with pytest.raises(InvalidInput, match="batch x classes; it gives a tensor of 5 x 2 x 4"):
        module(torch.zeros(5, 1, 8, 8))


def test_a_cumulative_batch_norm_is_refused() -> None:
    with pytest.raises(InvalidInput, match="batch norm 2 has momentum=None"):
        build_replicated(flat(lambda: nn.BatchNorm1d(8, momentum=None)), "one", 1, SHAPE, 3)


def test_the_hash_is_of_the_file_that_is_named() -> None:
    assert hash_source("support.factories:build_transformer") == hash_source(TRANSFORMER)
    assert hash_source(TRANSFORMER) != hash_source("search_spaces.modules.example:build_residual")
