"""The engine on a pretend accelerator: nothing is left on the CPU, steps are captured and exact.

Every space with its options, and every recipe, against the CPU. Negative controls plant what must
be refused.
"""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from support.networks import CASES, Options
from support.pretend_accelerator import NAME, RefusedError, count_launches, pretend_accelerator
from torch import Tensor

from benchmark.datasets import catalog
from benchmark.engine import checkpoint, chunk_size, engine
from benchmark.engine.build import Builder
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from benchmark.training import loop, step
from benchmark.training.optimizers.sgd import ReplicatedSGD
from benchmark.training.process_group import Ranks
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
    "tf32": replace(SHORT, precision="tf32"),
    "momentum in bfloat16": replace(SHORT, momentum=0.9, precision="bfloat16"),
    "AdamW in bfloat16": replace(SHORT, optimizer="adamw", precision="bfloat16"),
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


def unit(
    images: str,
    name: str,
    options: Options,
    architecture: str,
    recipe: Recipe,
    measure: Literal["training", "updates"] = "training",
) -> Unit:
    space, data = create(name, **options), catalog.load(images)
    return Unit(
        measure=measure,
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
    near = {"float64": 1e-9, "bfloat16": 0.03}.get(asked.recipe.precision, 2e-3)
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


FIRST_OF_EACH_SPACE = {case[0]: case for case in reversed(CASES)}


@pytest.mark.parametrize("name", FIRST_OF_EACH_SPACE)
def test_one_step_is_measured_on_the_device_as_on_the_cpu(name: str, images: str) -> None:
    """With rates and epsilons of their own, under both optimizers."""
    case = FIRST_OF_EACH_SPACE[name]
    for recipe in (SHORT, replace(SHORT, optimizer="adamw")):
        asked = unit(images, *case, recipe, measure="updates")
        expected = engine.run(asked, device="cpu")
        with pretend_accelerator() as graphs:
            rows = engine.run(asked, device=f"{NAME}:0")
        assert graphs == []
        for row, other in zip(rows, expected, strict=True):
            for key in ("update_moments", "forward_moments", "initial_loss"):
                assert row[key] == pytest.approx(other[key], rel=1e-8), key


@pytest.mark.parametrize("begun", ["cpu", f"{NAME}:0"])
def test_a_checkpoint_goes_on_in_captured_steps(
    begun: str, images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped on the CPU or the device, moments and all; resumed on the device."""
    asked = unit(images, *RESNET, replace(RECIPES["AdamW"], precision="float64", epochs=3))
    whole = engine.run(asked, device="cpu")
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    done = 0

    def stop(count: int) -> None:
        nonlocal done
        done += count
        if done > 5 * count:
            raise KeyboardInterrupt

    place = pretend_accelerator() if begun != "cpu" else contextlib.nullcontext()
    with place, pytest.raises(KeyboardInterrupt):
        engine.run(asked, stop, device=begun, checkpoint=tmp_path / "unit")
    seen: list[int] = []
    with pretend_accelerator() as graphs:
        rows = engine.run(asked, seen.append, device=f"{NAME}:0", checkpoint=tmp_path / "unit")
    steps = whole[0]["steps"]
    assert [graph.replays for graph in graphs] == [steps - 5]
    assert seen[0] == 5 * len(REPLICAS)
    for row, other in zip(rows, whole, strict=True):
        assert row["train_loss"] == pytest.approx(other["train_loss"], rel=1e-9)
        assert row["test_loss"] == pytest.approx(other["test_loss"], rel=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_thirty_replays_of_the_whole_step_are_thirty_steps(optimizer: str, images: str) -> None:
    """Momentum, second moments, corrections and the schedule are those of the step, not of the
    one that was captured; weights as torch's steps leave them, to rounding."""
    recipe = Recipe(
        batch=24,
        steps=30,
        optimizer=optimizer,  # type: ignore[arg-type]
        momentum=0.9 if optimizer == "sgd" else 0.0,
        nesterov=optimizer == "sgd",
        weight_decay=0.01,
        schedule="cosine",
        warmup_steps=5,
        gradient_clip=1.0,
        precision="float64",
    )
    asked = unit(images, *RESNET, recipe)
    eager = Builder.of(asked, torch.device("cpu"), Ranks()).build_training(REPLICAS)
    eager.run()
    with pretend_accelerator() as graphs:
        device = torch.device(f"{NAME}:0")
        captured = Builder.of(asked, device, Ranks()).build_training(REPLICAS)
        captured.run()
        assert [graph.replays for graph in graphs] == [30]
        for (name, mine), theirs in zip(
            captured.module.state_dict().items(), eager.module.state_dict().values(), strict=True
        ):
            torch.testing.assert_close(mine.cpu(), theirs, rtol=1e-9, atol=1e-11, msg=name)
        losses = captured.loss_SR.cpu()
    torch.testing.assert_close(losses, eager.loss_SR, rtol=1e-9, atol=0)


def test_moments_that_a_replay_does_not_write_in_place_are_found(
    images: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a velocity that is a new tensor every step stays that of the capture."""

    def find_direction(self: ReplicatedSGD) -> Tensor:
        self.velocity = self.velocity * self.recipe.momentum + self.gradient
        return self.velocity

    monkeypatch.setattr(ReplicatedSGD, "find_direction", find_direction)
    with pytest.raises(AssertionError, match="loss"):
        compare(unit(images, *RESNET, replace(SHORT, epochs=3, momentum=0.9)))


def test_a_step_is_one_launch_and_a_few_copies(images: str) -> None:
    """What is launched for a step beside its batch: two copies, the numbers, a replay, a loss."""
    asked = unit(images, *RESNET, replace(SHORT, momentum=0.9))
    with pretend_accelerator() as graphs:
        builder = Builder.of(asked, torch.device(f"{NAME}:0"), Ranks())
        training = builder.build_training(REPLICAS)
        batches = list(training.batches.epoch())
        training.advance(*batches[0])
        with count_launches() as launched:
            training.advance(*batches[1])
    assert len(graphs[0].operations) > 50
    assert len(launched) <= 8, launched


def test_a_timing_trial_captures_evaluates_and_halves_on_the_device(
    images: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three replicas fit while they train, and not while they are evaluated."""
    asked = unit(images, *RESNET, SHORT)
    evaluate = loop.Training.evaluate
    sizes = []

    def evaluate_few(self: loop.Training, split: str, images: Any) -> None:
        sizes.append(self.replicas)
        if self.replicas > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        evaluate(self, split, images)

    with pretend_accelerator() as graphs:
        builder = Builder.of(asked, torch.device(f"{NAME}:0"), Ranks())
        monkeypatch.setattr(loop.Training, "evaluate", evaluate_few)
        limit = chunk_size.find_fastest_limit(
            4, 4, lambda size: chunk_size.time_chunk(builder, REPLICAS[0], size), exact=False
        )
    assert sizes[:2] == [4, 2]
    assert limit <= 2
    assert all(graph.replays == 1 + chunk_size.TRIAL_STEPS for graph in graphs)


def test_a_chunk_whose_evaluation_does_not_fit_is_halved(
    images: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind cuBLAS's words for it; the rows are those of the whole chunk."""
    asked = unit(images, *RESNET, RECIPES["float64"])
    expected = engine.run(asked, device="cpu")
    evaluate = loop.evaluate

    def evaluate_few(module: Any, batches: Any, given: Any) -> tuple[Tensor, Tensor]:
        if len(batches.seed_R) > 2:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")
        return torch.no_grad()(evaluate.__wrapped__)(module, batches, given)  # type: ignore[attr-defined,no-any-return]

    with pretend_accelerator() as graphs:
        monkeypatch.setattr(loop, "evaluate", evaluate_few)
        rows = engine.run(asked, device=f"{NAME}:0")
    assert len(graphs) == 3
    for row, other in zip(rows, expected, strict=True):
        assert row["valid_loss"] == pytest.approx(other["valid_loss"], rel=1e-9)


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
