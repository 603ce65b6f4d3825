"""Coordinate check of muP: the first steps move hidden layers and logits alike at every width."""

import pytest
from support.coordinate_check import (
    BASE,
    FLAT,
    NETWORKS,
    WIDTHS,
    Kind,
    changes,
    rms_changes,
    version_1,
)

from benchmark import rules
from search_spaces.registry import create


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("space", NETWORKS)
def test_one_rate_moves_hidden_layers_and_logits_alike_at_every_width(
    space: str, kind: Kind
) -> None:
    found = changes("mup", space, WIDTHS, kind)
    for by_width in zip(*found, strict=True):
        assert max(by_width) < FLAT * min(by_width), found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("completep", "adamw"),
        *(
            (f"{depth}*mup", kind)
            for depth in ("depth-mup", "effective-depth", "path-cubed")
            for kind in ("sgd", "adamw")
        ),
    ],
)
def test_rules_for_depth_and_width_are_flat_in_width(name: str, kind: Kind) -> None:
    found = changes(name, "resnet", (64, 256), kind)
    for by_width in zip(*found, strict=True):
        assert max(by_width) < FLAT * min(by_width), found


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("space", NETWORKS)
def test_the_check_rejects_what_version_1_did(space: str, kind: Kind) -> None:
    """A readout of variance 1/n at its own or a larger rate: logits grow with width."""
    narrow, wide = (
        rms_changes(space, width, kind, version_1(kind, width / BASE)) for width in (64, 256)
    )
    assert wide[1] > FLAT * narrow[1] or wide[0] > FLAT * narrow[0]


PUBLISHED = {
    "sgd": {"input": 4.0, "vector": 4.0, "outer-vector": 4.0, "readout": 1 / 4},
    "adamw": {"hidden": 1 / 4, "readout": 1 / 4},
}
"""Rates of arXiv 2203.03466, Table 3, at four times the base width; 1 where nothing is said."""


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_groups_are_the_published_table(kind: Kind) -> None:
    """Hidden biases and norms are vectors, the readout's bias is finite and stays; weight decay
    keeps rate x decay in each group, as MuSGD and MuAdamW of microsoft/mup do."""
    wide, base = (create("vit", width=width) for width in (64, 16))
    (given,) = rules.bundles("mup", wide, ["vit-2"], "vit-2", kind, base_space=base)
    assert given is not None
    rates = PUBLISHED[kind]
    decays = {f"{group}-decay": 1 / factor for group, factor in rates.items()}
    assert dict(given.factors) == {**rates, **decays, "readout-variance": 1 / 4}


def test_at_the_width_of_the_base_mup_is_the_tuned_constant() -> None:
    space = create("resnet", width=16)
    for kind in ("sgd", "adamw"):
        mup, constant = (
            rules.bundles(name, space, ["resnet-1", "resnet-9"], optimizer=kind)
            for name in ("mup", "tuned-constant")
        )
        assert mup == constant


def test_the_mean_field_form_has_the_tables_readout_itself() -> None:
    wide, base = (create("mlp", width=width) for width in (64, 16))
    name = "mup:mean-field-readout"
    (given,) = rules.bundles(name, wide, ["mlp-2"], "mlp-2", base_space=base)
    assert given is not None
    assert given.initialization == "he+mean-field"
    assert "readout-variance" not in dict(given.factors)
    assert dict(given.factors)["readout"] == 1 / 4


def test_a_pair_of_topologies_is_enough() -> None:
    """What a study over depth and width asks: any rung of any width, from one base."""
    wide, base = (create("resnet", width=width) for width in (32, 8))
    for name in ("effective-depth*mup", "depth-mup*mup", "mup", "effective-depth"):
        target, start = wide.topology("resnet-4"), base.topology("resnet-1")
        (given,) = rules.bundles(name, wide, ["resnet-4"], "resnet-1", base_space=base)
        assert rules.bundle(name, "resnet", target, start) == given
