"""A depth rule times muP: the bundle of the one, the width factors of the other."""

import pytest

from benchmark import rules
from benchmark.rules import Bundle
from search_spaces.registry import create

WIDE, BASE = create("resnet", width=32), create("resnet", width=8)


def given(name: str, rung: str, kind: str, *, wide: bool) -> Bundle:
    (found,) = rules.bundles(
        name, WIDE if wide else BASE, [rung], "resnet-4", kind, base_space=BASE
    )
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("name", ["effective-depth", "depth-mup", "tuned-constant", "path-cubed"])
def test_the_width_of_the_base_leaves_the_depth_rule(name: str, kind: str) -> None:
    for rung in ("resnet-4", "resnet-16"):
        assert given(f"{name}*mup", rung, kind, wide=False) == given(name, rung, kind, wide=False)


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("name", ["effective-depth", "depth-mup", "path-cubed"])
def test_factors_multiply(name: str, kind: str) -> None:
    depth, width = (given(each, "resnet-16", kind, wide=True) for each in (name, "mup"))
    both = given(f"{name}*mup", "resnet-16", kind, wide=True)
    assert both.lr_multiplier == depth.lr_multiplier
    assert (both.initialization, both.branch_multiplier) == (
        depth.initialization,
        depth.branch_multiplier,
    )
    tables = [dict(bundle.factors) for bundle in (depth, width, both)]
    for group in {key for table in tables for key in table}:
        one, other, product = (table.get(group, 1.0) for table in tables)
        assert product == pytest.approx(one * other)
    assert tables[2] != tables[0]


def test_depth_mup_times_mup_under_adamw_is_completeps_row_at_one_half() -> None:
    """arXiv 2505.01618, Table 1, a = 1/2, m_L = 4, m_N = 4 (branches: 1/sqrt(K) itself)."""
    both = given("depth-mup*mup", "resnet-16", "adamw", wide=True)
    factors = dict(both.factors)
    assert both.branch_multiplier == 1 / 4
    assert factors["hidden"] == pytest.approx(1 / 2 / 4)
    assert factors["vector"] == pytest.approx(1 / 2)
    assert {"input", "outer-vector", "readout-bias"}.isdisjoint(factors)


def test_forms_and_controls_take_compositions() -> None:
    rungs = ["resnet-4", "resnet-8", "resnet-16"]
    name = "effective-depth*mup"
    (bare,) = rules.bundles(f"{name}:rate-only", WIDE, ["resnet-8"], "resnet-4", base_space=BASE)
    assert bare is not None
    assert bare.initialization == "he"
    dealt = rules.bundles(f"shuffled:{name}", WIDE, rungs, "resnet-4", base_space=BASE, seeds=2)
    own = rules.bundles(name, WIDE, rungs, "resnet-4", base_space=BASE)
    rates = [sorted(b.for_seed(1).rate for b in each if b) for each in (dealt, own)]
    assert rates[0] == rates[1]
    assert rules.owner_of(f"shuffled:{name}") == name
    version = rules.rule(name).version_for("sgd")
    assert version == rules.rule("effective-depth").version + rules.rule("mup").version - 1
