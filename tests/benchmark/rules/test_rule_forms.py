"""The contract of every name a rule can have, on every space; versions; what old rows mean."""

import math
import re
from pathlib import Path

import pytest
from support.networks import LARGE

from benchmark import rules
from benchmark.rules import Bundle, Control
from benchmark.rules.grammar.forms import FORMS
from benchmark.training.weights.variances import SCHEMES
from search_spaces import registry
from search_spaces.errors import InvalidInput

PLAIN = [name for name, rule in rules.registry().items() if not isinstance(rule, Control)]
CONTROLS = [name for name in rules.registry() if name not in PLAIN]


def is_rule(name: str) -> bool:
    try:
        rules.rule(name)
    except InvalidInput:
        return False
    return True


COMPOSED = [name for name in (f"{each}*mup" for each in PLAIN) if is_rule(name)]
FORMED = [f"{name}:{form}" for name in (*PLAIN, *COMPOSED) for form in FORMS]
NAMES = [*COMPOSED, *(name for name in FORMED if is_rule(name))]
DEALT = [f"{control}:{name}" for control in CONTROLS for name in (*PLAIN, *NAMES)]
NAMES += [name for name in DEALT if is_rule(name)]

FACTORS = {
    f"{group}{of}"
    for group in ("input", "hidden", "readout", "vector", "outer-vector", "readout-bias", "branch")
    for of in ("", "-decay", "-epsilon")
} | {"epsilon", "readout-variance"}


def test_there_are_forms_of_rules_controls_and_compositions() -> None:
    """The contract below would be empty where names stopped to be read."""
    assert {"effective-depth*mup", "depth-mup*mup"} <= set(COMPOSED)
    assert {f"{name}:init-only" for name in PLAIN} <= set(NAMES)
    assert {f"shuffled:{name}" for name in PLAIN if name != "one-step"} <= set(NAMES)
    assert "geometric-mean:depth-mup*mup:weight-variance" in NAMES
    assert len(NAMES) > 200


@pytest.mark.parametrize("space_name", [n for n in registry.names() if n not in LARGE])
def test_contract_every_name_on_every_space(space_name: str) -> None:
    space = registry.create(space_name)
    base = space.base_architecture
    population = [base, *space.architectures(5, seed=1)]
    for name in NAMES:
        rule = rules.rule(name)
        for optimizer in rule.optimizers:
            given = rules.bundles(name, space, population, optimizer=optimizer, seeds=2)
            assert rule.version_for(optimizer) >= 1
            for architecture, bundle in zip(population, given, strict=True):
                if not space.topology(architecture).trainable:
                    assert bundle is None
                    continue
                assert bundle is not None, name
                for seed in range(2):
                    check(bundle.for_seed(seed), name)


def check(bundle: Bundle, name: str) -> None:
    """A bundle that an engine can train."""
    assert bundle.initialization.removesuffix("+mean-field") in SCHEMES, name
    assert 0 < bundle.branch_multiplier <= 1, name
    assert math.isfinite(bundle.lr_multiplier), name
    assert bundle.lr_multiplier > 0, name
    assert bundle.factors == tuple(sorted(bundle.factors)), name
    for key, factor in bundle.factors:
        assert key in FACTORS, (name, key)
        assert factor > 0 or (factor == 0 and key.endswith("-decay")), (name, key)


@pytest.mark.parametrize("name", ["effective-depth", "depth-mup", "path-cubed", "one-step"])
def test_init_only_and_rate_only_are_the_halves_of_a_rule(name: str) -> None:
    space = registry.create("resnet", width=8)

    def given(form: str, optimizer: str = "sgd") -> Bundle:
        (bundle,) = rules.bundles(f"{name}{form}", space, ["resnet-9"], optimizer=optimizer)
        assert bundle is not None
        return bundle

    whole, weights, rate = given(""), given(":init-only"), given(":rate-only")
    assert weights == Bundle(whole.initialization, whole.branch_multiplier, 1.0)
    assert rate == Bundle("he", 1.0, whole.lr_multiplier, whole.factors)
    assert not rules.rule(f"{name}:init-only").measured
    assert rules.rule(f"{name}:rate-only").measured == (name == "one-step")


def test_versions_rise_where_numbers_changed_and_nowhere_else() -> None:
    """Ids of stored results hold the version: what did not change keeps its own."""
    versions = {
        (name, optimizer): rules.rule(name).version_for(optimizer)
        for name in (*rules.registry(), "depth-mup:weight-variance", "path-cubed:rate-only")
        for optimizer in rules.rule(name).optimizers
    }
    raised = {key: version for key, version in versions.items() if version > 1}
    assert raised == {
        ("mup", "sgd"): 2,
        ("mup", "adamw"): 2,
        ("completep", "adamw"): 2,
        ("depth-mup", "adamw"): 2,
        ("depth-mup:weight-variance", "sgd"): 2,
        ("depth-mup:weight-variance", "adamw"): 3,
    }


@pytest.mark.parametrize(
    ("name", "version", "meant"),
    [
        ("mup", 1, "readout 1/n"),
        ("depth-mup", 1, "for all parameters"),
        ("completep", 1, "one weight decay"),
        ("depth-mup:weight-variance", 1, "all rates x 1/K"),
    ],
)
def test_rows_of_an_earlier_version_are_told_as_they_were(
    name: str, version: int, meant: str
) -> None:
    rule = rules.rule(name)
    assert meant in rule.formula_at(version)
    assert meant not in rule.formula_at(rule.version_for("adamw"))


def test_every_rule_and_form_says_what_it_is() -> None:
    for name, rule in rules.registry().items():
        assert rule.source, name
        assert rule.prescribe.__doc__, name
    for form in FORMS.values():
        assert form.apply.__doc__


def test_every_published_rule_says_which_of_its_parts_our_networks_lack() -> None:
    """In its docstring, and in the table of docs/rules.md."""
    page = (Path(__file__).parents[3] / "docs/rules.md").read_text(encoding="utf-8")
    for name in PLAIN:
        told = " ".join((rules.rule(name).prescribe.__doc__ or "").split())
        assert "Not in our networks: " in told, name
        assert re.search(rf"^\| `{name}`[^|]*\| \S", page, re.M), name


def test_a_stored_name_that_no_rule_has_is_none() -> None:
    assert rules.find("path-squared") is None
    assert rules.find("path-cubed:quick") is None
    assert rules.find("shuffled:effective-depth*mup") is rules.rule("shuffled:effective-depth*mup")
