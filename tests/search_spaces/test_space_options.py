"""Wrong names, options and rungs get one sentence that shows the piece and the mend."""

import pytest
import torch

from search_spaces.dag.space import N_DAGS, canonical_dag, read
from search_spaces.errors import InvalidInput
from search_spaces.layers import Weighted
from search_spaces.nasbench201.stratify import by_class
from search_spaces.registry import create, names
from search_spaces.show.resolve import resolve


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("nasbench", {}, "unknown space 'nasbench'; choose one of nasbench201, dag-mlp"),
        (
            "cnn",
            {"depth": 3},
            "unknown option 'depth' of space 'cnn'; choose from width, kernel",
        ),
        ("cnn", {"kernel": 4}, "kernel=4 is even"),
        ("cnn", {"dimensions": 3}, "dimensions=3 is not an option; choose one of 1, 2"),
        ("mlp", {"width": 0}, "width=0 is not a whole number of 1 or more"),
        ("mlp", {"width": 2.5}, "width=2.5 is not a whole number"),
        ("mlp", {"width": True}, "width=True is not a whole number"),
        ("mlp", {"activation": "tanh"}, "activation='tanh' is not an option; choose one of 'relu'"),
        ("mlp", {"normalization": "gn"}, "normalization='gn' is not an option"),
        ("mlp", {"dropout": 1.0}, r"dropout=1.0 is not in \[0, 1\)"),
        ("resnet", {"block": "wide"}, "block='wide' is not an option; choose one of 'one-conv'"),
        ("resnet", {"stages": "imagenet"}, "stages='imagenet' is not an option"),
        ("resnet", {"block": "bottleneck", "width": 6}, "width=6 is not a multiple of 4"),
        ("dag-cnn", {"kernel": 9}, "kernel=9 is not an option; choose one of 3, 5, 7"),
        ("vit", {"heads": 3}, "width=64 is not a multiple of heads=3"),
        ("vit", {"placement": "sandwich"}, "placement='sandwich' is not an option"),
        ("vit", {"layer_scale": "yes"}, "layer_scale='yes' is not an option"),
    ],
)
def test_a_wrong_option(name: str, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        create(name, **options)


@pytest.mark.parametrize(
    ("text", "space", "sentence"),
    [
        ("resnet-0", None, "'resnet-0' is not a rung of resnet; write resnet-DEPTH"),
        ("resnet-x", None, "'resnet-x' is not a rung of resnet"),
        ("cnn-8", "resnet", "'cnn-8' is not a rung of resnet"),
        ("3_02_002_0002", None, "digit 3 in '3_02_002_0002' is no edge"),
        ("2_02_002", "dag-mlp", "'2_02_002' is not a five-node DAG"),
        ("lstm-3", None, "'lstm-3' names no architecture"),
        ("", None, "'' names no architecture"),
    ],
)
def test_a_wrong_architecture(text: str, space: str | None, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        resolve(text, space)


def test_staged_ladders_start_at_one_block_per_stage() -> None:
    space = create("resnet", stages="cifar")
    assert space.base_architecture == "resnet-3"
    with pytest.raises(InvalidInput, match="depth of 3 to"):
        space.parse("resnet-2")


def test_patches_must_tile_the_image() -> None:
    with pytest.raises(InvalidInput, match="patch=4 does not tile images of 10x8"):
        create("vit").build("vit-1", 1, (1, 10, 8))


def test_a_pathless_dag_is_not_built() -> None:
    space = create("dag-mlp")
    assert not space.topology("0_00_000_0000").trainable
    with pytest.raises(InvalidInput, match="no input-output path"):
        space.build("0_00_000_0000", 1)


@pytest.mark.parametrize(
    ("text", "space", "name"),
    [
        ("6111", "nasbench201", "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
                                "|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"),
        (" 2_02_002_0002 ", "dag-mlp", "2_02_002_0002"),
        ("vit-04", "vit", "vit-4"),
        ("cnn-12", "cnn", "cnn-12"),
    ],
)  # fmt: skip
def test_the_space_is_told_from_the_name(text: str, space: str, name: str) -> None:
    found, architecture = resolve(text)
    assert (found.name, architecture) == (space, name)


def test_options_are_read_from_words() -> None:
    space, _ = resolve(
        "vit-2", options=["width=32", "dropout=0.1", "layer_scale=true", "placement=post"]
    )
    expected = create("vit", width=32, dropout=0.1, layer_scale=True, placement="post")
    assert space == expected
    with pytest.raises(InvalidInput, match="option 'width' must read KEY=VALUE"):
        resolve("vit-2", options=["width"])


def test_dags_are_all_there_once_and_canonical_ones_keep_their_live_edges() -> None:
    space = create("dag-mlp")
    codes = space.architectures()
    assert len(set(codes)) == len(codes) == N_DAGS == 59_049
    for code in codes[::53]:
        representative = canonical_dag(read(code))
        assert canonical_dag(representative) == representative
        live = sorted(edge.operation.kind for edge in space.topology(code).cell.edges)
        kept = space.topology(space.canonical(code)).cell.edges
        assert sorted(edge.operation.kind for edge in kept) == live


@pytest.mark.parametrize("space", ["dag-mlp", "dag-cnn"])
def test_a_dag_and_its_representative_are_one_function(space: str) -> None:
    """With the same weights on every edge, so that only the shape of the graph can matter."""
    dags = create(space, width=4)
    x = torch.randn(3, 1, 8, 8, dtype=torch.float64)
    weights = torch.randn(4, 8 * 8 * 9, dtype=torch.float64)
    for code in dags.architectures(sample=40, seed=2):
        if not dags.topology(code).trainable:
            continue
        outputs = []
        for name in (code, dags.canonical(code)):
            module = dags.build(name, 1, (1, 8, 8), classes=3).double()
            with torch.no_grad():
                for layer in module.modules():
                    if isinstance(layer, Weighted):
                        shape = layer.weight.shape
                        layer.weight.copy_(weights.flatten()[: shape.numel()].view(shape))
            outputs.append(module(x))
        torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-10, atol=1e-10)


def test_equal_spaces_are_equal_and_options_tell_them_apart() -> None:
    for name in names():
        assert create(name) == create(name)
        other: dict[str, dict[str, object]] = {
            "nasbench201": {"channels": 12},
            "torchvision": {"family": "vit"},
        }
        assert create(name, **other.get(name, {"width": 12})) != create(name)


def test_stratified_draws() -> None:
    classes = {number: number % 3 for number in range(9)} | {9: 7}
    drawn = by_class(classes, 9, seed=0)
    assert len(set(drawn)) == 9
    assert 9 in drawn[:4]
    with pytest.raises(InvalidInput, match="sample=11 is more than the 10"):
        by_class(classes, 11, seed=0)
