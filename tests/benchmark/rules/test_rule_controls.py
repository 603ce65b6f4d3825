"""Controls of any rule: the same rates, dealt to others, and one rate for all."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from benchmark import rules
from benchmark.plan.planner import plan
from benchmark.plan.units import plan_grid, prescribe_bundles
from benchmark.rules.grammar.rule import Bundle, Control
from benchmark.study import Depth, Recipe, Study, Updates
from search_spaces import registry
from search_spaces.errors import InvalidInput

SPACE = registry.create("nasbench201")
SAMPLE = SPACE.architectures(60, seed=3)
PATHLESS = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
LADDER = registry.create("resnet", width=8)
RUNGS = [f"resnet-{depth}" for depth in (1, 2, 3, 4, 6, 8, 12, 16)]


def trained(given: list[Bundle | None]) -> list[Bundle]:
    return [bundle for bundle in given if bundle]


@pytest.mark.parametrize("name", ["effective-depth", "path-cubed", "path-cubed:rate-only"])
def test_a_placebo_deals_its_own_rules_rates_anew_to_every_seed(name: str) -> None:
    population = [*SAMPLE, PATHLESS]
    own = rules.bundles(name, SPACE, population)
    dealt = rules.bundles(f"shuffled:{name}", SPACE, population, seeds=4)
    assert dealt == rules.bundles(f"shuffled:{name}", SPACE, population, seeds=4)
    assert dealt[-1] is None
    orders = []
    for seed in range(4):
        given = [bundle and bundle.for_seed(seed) for bundle in dealt]
        rates = [[b.lr_multiplier for b in trained(each)] for each in (own, given)]
        assert Counter(rates[0]) == Counter(rates[1])
        kept = [(b.initialization, b.branch_multiplier) for b in trained(given)]
        assert kept == [(b.initialization, b.branch_multiplier) for b in trained(own)]
        orders.append(tuple(rates[1]))
    assert len({tuple(b.lr_multiplier for b in trained(own)), *orders}) == 5


def test_more_seeds_leave_the_deals_of_the_others_as_they_are() -> None:
    few, many = (
        rules.bundles("shuffled:effective-depth", SPACE, SAMPLE, seeds=seeds) for seeds in (2, 5)
    )
    for one, other in zip(trained(few), trained(many), strict=True):
        assert [one.for_seed(s) for s in range(2)] == [other.for_seed(s) for s in range(2)]


def test_the_base_keeps_the_rate_at_which_its_constant_was_tuned() -> None:
    """Else a ladder's constant would be that of another rung."""
    own = trained(rules.bundles("effective-depth", LADDER, RUNGS))
    for control in ("shuffled", "geometric-mean"):
        dealt = trained(rules.bundles(f"{control}:effective-depth", LADDER, RUNGS, seeds=3))
        for seed in range(3):
            rates = [bundle.for_seed(seed).lr_multiplier for bundle in dealt]
            assert rates[0] == own[0].lr_multiplier == 1
            logs = [sum(math.log(b.lr_multiplier) for b in own[1:]), sum(map(math.log, rates[1:]))]
            assert logs[0] == pytest.approx(logs[1])
            assert (len(set(rates[1:])) == 1) == (control == "geometric-mean")


def test_rates_of_groups_are_dealt_with_the_rate() -> None:
    """completep's only link to depth is a factor: a placebo that kept it would be the rule."""
    own = trained(rules.bundles("completep", LADDER, RUNGS, optimizer="adamw"))
    dealt = trained(rules.bundles("shuffled:completep", LADDER, RUNGS, optimizer="adamw", seeds=1))
    factors = [Counter(b.factors for b in each) for each in (own, [b.for_seed(0) for b in dealt])]
    assert factors[0] == factors[1]
    assert [b.factors for b in own] != [b.for_seed(0).factors for b in dealt]
    (mean,) = {
        bundle.for_seed(0).factors
        for bundle in trained(
            rules.bundles("geometric-mean:completep", LADDER, RUNGS, optimizer="adamw")
        )[1:]
    }
    epsilons = [math.log(dict(bundle.factors)["epsilon"]) for bundle in own[1:]]
    assert math.log(dict(mean)["epsilon"]) == pytest.approx(sum(epsilons) / len(epsilons))
    assert dict(mean)["vector-decay"] == 0


def test_plain_controls_are_path_cubeds_dealt_once() -> None:
    for name in ("shuffled", "geometric-mean", "shuffled:rate-only"):
        control = rules.rule(name)
        assert isinstance(control, Control)
        assert control.of == name.replace(control.name.split(":")[0], "path-cubed")
        assert control.version_for("sgd") == 1
        assert all(not bundle.by_seed for bundle in trained(rules.bundles(name, SPACE, SAMPLE)))


def test_a_placebo_belongs_to_a_rule() -> None:
    assert rules.placebo_of("effective-depth") == "shuffled:effective-depth"
    assert rules.placebo_of("shuffled") is None
    part = (
        "default",
        "path-cubed",
        "effective-depth",
        "shuffled",
        "geometric-mean:effective-depth",
    )
    assert rules.placebo_of("path-cubed", part) == "shuffled"
    assert rules.placebo_of("effective-depth", part) is None
    assert rules.placebo_of("path-cubed:rate-only", part) is None
    assert rules.placebo_of("path-cubed", (*part, "shuffled:path-cubed")) == "shuffled:path-cubed"
    assert rules.controls_of("effective-depth", part) == ("geometric-mean:effective-depth",)
    assert rules.owner_of("shuffled:rate-only") == "path-cubed:rate-only"
    assert rules.owner_of("effective-depth") is None
    assert rules.placebo_of("path-cubed", ("path-squared", *part)) == "shuffled"  # a stored name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("shuffled:path-squared", r"'path-squared' is neither a rule nor a form.*effective-depth"),
        ("shuffled:path-squared*mup", r"'path-squared\*mup' is neither a rule nor a form"),
        ("geometric-mean:path-cubed:quick", "unknown form 'quick' of rule 'path-cubed'"),
        ("shuffled:geometric-mean", "geometric-mean is a control itself"),
        ("shuffled:one-step", "one-step is measured, not computed"),
        ("shuffled*mup", r"write shuffled:RULE\*mup"),
        ("effective-depth*jelassi", r"only mup can follow the \*; write effective-depth\*mup"),
        ("completep*mup", "completep says itself how rates follow width"),
        ("effective-depth*mup*mup", r"effective-depth\*mup says itself how rates follow width"),
        ("default*mup", "compose it with another rule"),
        ("effective-depth:all-edges", "form all-edges is stated for path-cubed, not for"),
    ],
)
def test_a_name_that_is_no_rule_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as raised:
        rules.rule(name)
    assert "\n" not in str(raised.value)


def test_a_control_is_stated_for_its_rules_optimizers() -> None:
    with pytest.raises(InvalidInput, match="'shuffled:completep' is stated for adamw, not for sgd"):
        rules.bundles("shuffled:completep", LADDER, RUNGS)


def test_a_plan_gives_every_seed_its_own_deal() -> None:
    """What is trained under a placebo: each seed's rates are the rule's, permuted over rungs."""
    part = Updates(
        name="steps",
        space="resnet",
        options={"width": 4},
        rules=("effective-depth", "shuffled:effective-depth"),
        seeds=3,
        depths=(1, 2, 4, 8, 12, 16),
    )
    (stage,) = plan(Study(name="study", question="?", parts=(part,)), lambda _: None)
    assert stage.units is not None
    rates = {
        (replica.rule, replica.seed, unit.architecture): replica.lr
        for unit in stage.units
        for replica in unit.replicas
    }
    orders = {
        (rule, seed): tuple(rates[rule, seed, rung] for rung in part.architectures())
        for rule in part.rules
        for seed in range(part.seeds)
    }
    assert len({tuple(sorted(order)) for order in orders.values()}) == 1
    assert len({orders["effective-depth", seed] for seed in range(3)}) == 1
    assert len(set(orders.values())) == 4


def test_a_grid_gives_every_seed_the_factors_of_its_own_deal() -> None:
    """At each rate of a grid, the rates of groups and the constant are those of the seed's deal."""
    part = Depth(
        name="ladder",
        space="resnet",
        options={"width": 4},
        rules=("shuffled:completep",),
        seeds=3,
        depths=(1, 2, 4, 8),
        rates=(0.1, 0.2),
        recipe=Recipe(optimizer="adamw"),
    )
    (name,) = part.rules
    bundle = prescribe_bundles(part, name, part.architectures(), part.architectures()[0])[-1]
    assert bundle
    for replica in plan_grid(part, name, bundle, part.rates):
        own = bundle.for_seed(replica.seed)
        assert (replica.lr_multiplier, replica.factors) == own.rate
        assert replica.base_lr * own.lr_multiplier == pytest.approx(replica.lr)
    assert len({bundle.for_seed(seed).rate for seed in range(part.seeds)}) > 1


def test_a_plan_may_take_its_constant_from_another_width() -> None:
    part = Depth(
        name="wide",
        space="resnet",
        options={"width": 16},
        rules=("mup",),
        depths=(1, 2),
        rates=(0.1, 0.2),
    )
    narrow, rungs = replace(part, options={"width": 4}), part.architectures()
    given = prescribe_bundles(part, "mup", rungs, rungs[0], base_part=narrow)
    space = narrow.search_space
    assert given == rules.bundles("mup", part.search_space, rungs, rungs[0], base_space=space)
    assert given != prescribe_bundles(part, "mup", rungs, rungs[0])
