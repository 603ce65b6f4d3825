"""Methods, provenance, limits and citation: generated from the study and the code that ran it."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.metadata import version
from typing import Any, Final

from benchmark import initialization, rules
from benchmark.analysis import ranking, shift
from benchmark.analysis.bootstrap import LEVEL
from benchmark.analysis.family import holm
from benchmark.recipes import Recipe
from benchmark.report import verdict
from benchmark.report.content import Block, Table, number
from benchmark.results import Results
from search_spaces import conventions

STATISTICS: Final[dict[str, dict[str, Callable[..., Any]]]] = {
    "rank": {
        "tau, ceiling, delta": ranking.rank_agreement,
        "accuracy shift": shift.accuracy_shift,
        "bias check": shift.bias_check,
        "Holm's correction": holm,
    },
    "depth": {},
    "updates": {},
}


def blocks(results: Results) -> list[Block]:
    """The sections that do not depend on what was found."""
    parts = results.study["parts"]
    return [
        Block("methods", "", (parts_table(parts), *readings(results), thresholds(), how(parts))),
        Block("provenance", "", provenance(results)),
        Block("limits", "", limits(parts)),
        Block("cite", "", citation(results)),
    ]


def parts_table(parts: list[dict[str, Any]]) -> Table:
    """What each part trained, and how."""
    rows = []
    for part in parts:
        options = ", ".join(f"{name}={value}" for name, value in part["options"].items())
        rates = part.get("rates", ())
        grid = f"{len(rates)} rates, {number(rates[0])} to {number(rates[-1])}" if rates else "–"
        which = (
            ", ".join(map(str, part.get("depths", ()))) or f"sample of {part['sample'] or 'all'}"
        )
        rows.append(
            (part["name"], part["kind"], f"{part['space']} {options}".strip(), which)
            + (", ".join(part["rules"]), part["seeds"], grid, part["dataset"])
            + (recipe(part["recipe"]),)
        )
    columns = ("part", "kind", "space", "architectures", "rules", "seeds", "grid", "data", "recipe")
    return Table("The parts of this study", columns, rows)


def recipe(values: Mapping[str, Any]) -> str:
    """What a recipe says, leaving out what is zero or false."""
    named = [f"{f.name} {values[f.name]}" for f in fields(Recipe) if values.get(f.name)]
    return ", ".join(named).replace("_", " ")


def readings(results: Results) -> tuple[Table, Table, Table]:
    """The rules, the conventions they read and the initialisations they ask for."""
    used = results.table.group_by(["rule", "rule_version", "convention", "initialization"])
    rows = sorted(used.aggregate([]).to_pylist(), key=lambda row: tuple(map(str, row.values())))
    told = []
    for row in rows:
        rule = rules.registry().get(row["rule"])
        told.append(
            (row["rule"], row["rule_version"], rule.formula if rule else "not in this version")
            + (row["convention"] or "none", row["initialization"], rule.source if rule else "–")
        )
    named = [name for name in dict.fromkeys(row["convention"] for row in rows) if name]
    known = [conventions.CONVENTIONS[name] for name in named if name in conventions.CONVENTIONS]
    schemes = dict.fromkeys(row["initialization"] for row in rows)
    documented = [
        (s, doc(initialization.SCHEMES[s])) for s in schemes if s in initialization.SCHEMES
    ]
    columns = ("rule", "version", "formula", "convention", "initialisation", "source")
    return (
        Table(
            "The rules: each is a rate, an initialisation and a way to count depth", columns, told
        ),
        Table(
            "The conventions by which they count depth (tags: P paper, C code, A summaries)",
            ("convention", "scope", "counts", "source"),
            [(each.name, each.scope, each.counts, each.source) for each in known],
        ),
        Table("The initialisations", ("name", "variance of a weight"), documented),
    )


def thresholds() -> Table:
    """The numbers that turn an interval into a word."""
    rows = [
        ("smallest change of ranking", number(verdict.TAU_MARGIN), "delta, in tau-b"),
        ("smallest gain", f"{number(100 * verdict.ACCURACY_MARGIN)} points", "mean accuracy shift"),
        (
            "rate predicted",
            f"within a factor {number(verdict.RATE_FACTOR)}",
            "mean |log rate error|",
        ),
        ("level", f"{100 * LEVEL:.0f}%", "every interval"),
    ]
    note = (
        "Yes needs the whole interval above 0 (and Holm's correction over the rules of the part); "
    )
    note += "no needs it below the smallest effect of interest; else undetermined"
    return Table(note, ("threshold", "value", "applies to"), rows)


def how(parts: list[dict[str, Any]]) -> Table:
    """What each statistic is, in the words of the code that computes it."""
    kinds = dict.fromkeys(part["kind"] for part in parts)
    return Table(
        "The statistics, from the docstrings of the functions that computed them",
        ("statistic", "definition"),
        [(name, doc(function)) for kind in kinds for name, function in STATISTICS[kind].items()],
    )


def doc(function: Callable[..., Any]) -> str:
    """A docstring as running text, up to its arguments."""
    text = (inspect.getdoc(function) or "").split("\n\nArgs:")[0]
    return " ".join(text.replace("`", "").split())


def provenance(results: Results) -> tuple[Table]:
    """Where the numbers came from."""
    origin = results.provenance
    ids = sorted(set(results.table["unit_id"].to_pylist()))
    rows = [
        (
            "units",
            f"{len(ids)}, fingerprint {hashlib.sha256(''.join(ids).encode()).hexdigest()[:16]}",
        ),
        ("commits", ", ".join(origin.commits) or "–"),
        *((name, ", ".join(found)) for name, found in origin.versions.items()),
        ("platforms", ", ".join(origin.platforms) or "–"),
        ("processors", ", ".join(origin.processors) or "–"),
        ("machines", str(origin.machines)),
        ("training time", f"{origin.seconds:,.0f} s, summed over units"),
        ("newest unit", origin.finished or "–"),
    ]
    if results.extra:
        rows.append(
            ("left out", f"{results.extra} stored units that the present plan does not name")
        )
    return (Table("What ran, where and when", ("of", "value"), rows),)


def limits(parts: list[dict[str, Any]]) -> tuple[str, ...]:
    """What the numbers cannot say."""
    kinds = {part["kind"] for part in parts}
    data = ", ".join(dict.fromkeys(part["dataset"] for part in parts))
    longest, seeds = max(p["recipe"]["epochs"] for p in parts), min(p["seeds"] for p in parts)
    said = [
        f"Data: {data}; at most {longest} epochs; from {seeds} seed{'s' * (seeds > 1)} a part. "
        "Other data, longer training and other optimisers may answer otherwise.",
        "Intervals are over the architectures or rungs of this sample; they say nothing of "
        "architectures that the sample could not have held.",
        "Batch norm makes the weights before it free of scale: there an initialisation only "
        "changes the effective rate, and should not be credited with more.",
    ]
    if "rank" in kinds:
        said.append(
            "On NAS-Bench-201 path-cubed's multiplier alone correlates about −0.68 with the "
            "benchmark's 200-epoch accuracy: a ranking that follows the multiplier may follow "
            "accuracy without the rate having helped. The bias check is there for this."
        )
    if "depth" in kinds:
        said.append(
            "Regret is read off the loss curve between the rates of the grid, not measured by "
            "training at the predicted rate. An optimum on the grid's edge is censored, and a "
            "rung that does not clearly beat chance is untrained: both are shown, never fitted."
        )
    if "updates" in kinds:
        said.append(
            "One step is taken to first order in the rate, at initialisation, on one batch per "
            "seed: it is what the theory speaks of, and says nothing of later training."
        )
    return tuple(said)


def citation(results: Results) -> tuple[str, ...]:
    """How to cite this report, and what it rests on."""
    study = results.study["name"]
    release = version("architecture-aware-rates")
    commit = ", ".join(results.provenance.commits) or "unknown"
    used = dict.fromkeys(rule for part in results.study["parts"] for rule in part["rules"])
    sources = [
        f"{name}: {rules.registry()[name].source}" for name in used if name in rules.registry()
    ]
    return (
        f"architecture-aware-rates {release}, study “{study}”, commit {commit}.",
        "The rules compared here: " + "; ".join(sources) + ".",
    )
