"""The engine on a pretend accelerator: nothing is left on the CPU, steps are captured and exact.

Every space with its options, and every recipe, against the CPU. Negative controls plant what must
be refused.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from support.networks import CASES, Options
from support.pretend_accelerator import NAME, RefusedError, pretend_accelerator
from torch import Tensor

from benchmark.datasets import catalog
from benchmark.engine import engine
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from benchmark.training import step
from search_spaces.layers import Linear
from search_spaces.registry import create

SHORT = Recipe(batch=24)
RECIPES = {
    "plain": SHORT,
    "all of SGD": replace(
        SHORT,
        epochs=2,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule="cosine",
        horizontal_flip=True,
        crop_padding=1,
        black_padding=True,
        cutout=2,
        label_smoothing=0.1,
        gradient_clip=1.0,
        warmup_steps=2,
    ),
    "AdamW": replace(SHORT, optimizer="adamw", weight_decay=0.01),
    "float64": replace(SHORT, precision="float64", keep_last_batch=True),
    "steps, measured": replace(SHORT, steps=6, update_every=2),
}
REPLICAS = (
    Replica.plain(0.01, 0),
    replace(Replica.plain(0.02, 1), branch_multiplier=0.5, factors=(("hidden", 0.5),)),
    Replica.plain(0.005, 1),
)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a data set of a few digits: 104 for training, 26 held out, 20 for tests."""
    digits = catalog.load("digits")
    pixels, labels = digits.x_train[:, 0].numpy(), digits.y_train.numpy()
    path = tmp_path_factory.mktemp("images") / "few.npz"
    np.savez(
        path,
        x_train=pixels[:130],
        y_train=labels[:130],
        x_test=pixels[130:150],
        y_test=labels[130:150],
    )
    return f"npz:{path}"


def unit(images: str, name: str, options: Options, architecture: str, recipe: Recipe) -> Unit:
    space, data = create(name, **options), catalog.load(images)
    return Unit(
        measure="training",
        space=name,
        space_version=space.version,
        space_options=tuple(options.items()),  # type: ignore[arg-type]
        architecture=space.parse(architecture),
        replicas=REPLICAS,
        recipe=recipe,
        dataset=data.name,
        dataset_place=data.place,
        dataset_checksum=data.checksum,
    )


def compare(asked: Unit) -> tuple[int, list[int]]:
    """Rows on the device are those on the CPU, to rounding; the steps of a replica, and how often
    each graph was replayed."""
    expected = engine.run(asked, device="cpu")
    with pretend_accelerator() as graphs:
        rows = engine.run(asked, device=f"{NAME}:0")
    near = 1e-9 if asked.recipe.precision == "float64" else 2e-3
    for row, other in zip(rows, expected, strict=True):
        for key, value in other.items():
            if "loss" in key and value is not None:
                assert row[key] == pytest.approx(value, rel=near), key
            elif "accuracy" not in key and key != "update_curve":
                assert row[key] == value, key
    return expected[0]["steps"], [graph.replays for graph in graphs]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{CASES[n][0]}-{n}")
def test_every_space_trains_on_the_device_as_on_the_cpu(number: int, images: str) -> None:
    name, options, architecture = CASES[number]
    recipe = list(RECIPES.values())[number % len(RECIPES)]
    steps, replays = compare(unit(images, name, options, architecture, recipe))
    # The first batch is captured and then replayed; a smaller last batch is taken singly.
    singly = 1 if recipe.keep_last_batch else 0
    assert replays == ([] if options.get("dropout") else [steps - singly])


RESNET: tuple[str, Options, str] = ("resnet", {"width": 4, "normalization": "bn"}, "resnet-2")


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_trains_on_the_device_as_on_the_cpu(recipe: str, images: str) -> None:
    steps, (replays,) = compare(unit(images, *RESNET, RECIPES[recipe]))
    assert 0 < replays <= steps


CHAIN: tuple[str, Options, str, Recipe] = ("mlp", {"width": 8}, "mlp-2", SHORT)


def run_with(monkeypatch: pytest.MonkeyPatch, images: str, spoil: Any) -> None:
    """The chain on the device, with something done to the output of every linear layer."""
    forward = Linear.forward

    def spoiled(self: Linear, x_RBI: Tensor) -> Tensor:
        return spoil(forward(self, x_RBI))  # type: ignore[no-any-return]

    monkeypatch.setattr(Linear, "forward", spoiled)
    with pretend_accelerator():
        engine.run(unit(images, *CHAIN), device=f"{NAME}:0")


def test_a_tensor_left_on_the_cpu_is_refused(monkeypatch: pytest.MonkeyPatch, images: str) -> None:
    with (
        pytest.warns(UserWarning, match="no CUDA graph"),
        pytest.raises(RefusedError, match="mixes"),
    ):
        run_with(monkeypatch, images, lambda z: z + torch.ones(z.shape))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda z: z * float(z.detach().abs().max() > -1), "waits for a value in a capture"),
        (lambda z: z + torch.ones(z.shape).to(z.device), "copies between host and device"),
        (lambda z: z + 0 * torch.randn_like(z), "draws random numbers in a capture"),
    ],
    ids=["a wait", "a copy from the host", "random numbers"],
)
def test_what_a_capture_refuses_ends_in_single_steps(
    spoil: Any, sentence: str, monkeypatch: pytest.MonkeyPatch, images: str
) -> None:
    """A graph that cannot be captured costs launches, and says so; the rows are the same."""
    with pytest.warns(UserWarning, match=f"launched singly.*{sentence}"):
        run_with(monkeypatch, images, spoil)


def test_a_capture_that_lacks_memory_leaves_training_as_it_was(
    monkeypatch: pytest.MonkeyPatch, images: str
) -> None:
    """The warm-up's steps are undone: gradients and running statistics are those of the start."""
    options: Options = {"width": 4, "normalization": "bn"}
    asked = unit(images, "cnn", options, "cnn-2", RECIPES["float64"])
    expected = engine.run(asked, device="cpu")

    def fail(self: step.CapturedStep, x_BKHW: Tensor, y_RB: Tensor) -> step.Recording:
        for _ in range(step.WARM_UP):
            step.Step.__call__(self, x_BKHW, y_RB)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(step.CapturedStep, "capture", fail)
    with pytest.warns(UserWarning, match="no CUDA graph.*out of memory"), pretend_accelerator():
        rows = engine.run(asked, device=f"{NAME}:0")
    for row, other in zip(rows, expected, strict=True):
        assert row["train_loss"] == pytest.approx(other["train_loss"], rel=1e-9)
        assert row["valid_loss"] == pytest.approx(other["valid_loss"], rel=1e-9)


def test_a_replay_reads_the_batch_of_its_step(monkeypatch: pytest.MonkeyPatch, images: str) -> None:
    """The control of the comparison itself: a graph fed with the first batch alone differs."""
    monkeypatch.setattr(
        step.Recording, "replay", lambda self, x, y: (self.graph.replay(), self.loss_R.clone())[1]
    )
    with pytest.raises(AssertionError, match="loss"):
        compare(unit(images, *CHAIN))
