"""Completeness, methods and provenance: generated from the study and the code that ran it."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from benchmark import rules
from benchmark.analysis.holm import adjust_p_values
from benchmark.analysis.intervals import LEVEL
from benchmark.analysis.ladders.one_step import measure_flatness, summarize_rung
from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.ladders.slope import fit_depth_slope, fit_slope
from benchmark.analysis.ranking.accuracy_shift import correlate_shift, measure_accuracy_shift
from benchmark.analysis.ranking.movers import find_movers
from benchmark.analysis.ranking.other_agreement import (
    measure_rounded_agreement,
    measure_spearman_agreement,
    measure_weighted_agreement,
)
from benchmark.analysis.ranking.rank_agreement import measure_rank_agreement
from benchmark.analysis.ranking.top_k import (
    measure_top_k_agreement,
    measure_top_k_overlap,
    measure_top_k_regret,
)
from benchmark.analysis.regret.transfer import measure_transfer
from benchmark.analysis.thresholds import ACCURACY_MARGIN, LOSS_MARGIN, TAU_MARGIN
from benchmark.findings.content import Paragraphs, Table, format_number
from benchmark.findings.methods_text import describe_study
from benchmark.store.results import Results, tell_stuck
from benchmark.study.recipe import Recipe
from benchmark.training.weights import variances
from search_spaces import conventions

FORMER_COMMAND: Final = "python jobs/FILE.py --out RESULTS"
"""What is said of results whose command was not recorded."""
STATISTICS: Final[dict[str, dict[str, Callable[..., Any]]]] = {
    "rank": {
        "tau, ceiling, delta": measure_rank_agreement,
        "accuracy shift": measure_accuracy_shift,
        "bias check": correlate_shift,
        "Holm's correction": adjust_p_values,
        "Spearman's rho": measure_spearman_agreement,
        "weighted tau": measure_weighted_agreement,
        "rounded tau": measure_rounded_agreement,
        "overlap of the top K": measure_top_k_overlap,
        "tau among the top K": measure_top_k_agreement,
        "regret at K": measure_top_k_regret,
        "movers": find_movers,
    },
    "depth": {
        "optimum": find_optima,
        "slope": fit_depth_slope,
        "fit of a slope": fit_slope,
        "transfer": measure_transfer,
    },
    "updates": {"one-step updates": measure_flatness, "their summary": summarize_rung},
}


def count_units(results: Results) -> list[str | Table]:
    """Units and replicas of every stage, what failed and what was set aside."""
    names = ("planned", "done", "failed", "missing", "replicas", "diverged", "untrainable")
    counted = [(f"{c.part}, {c.stage}", *(getattr(c, n) for n in names)) for c in results.counts]
    title = "Units (one architecture with all its replicas) and replicas of every stage"
    items: list[str | Table] = [Table(title, ("part, stage", *names), counted)]
    failed = [(f.description, f.attempt, f.error) for f in results.failures.values()]
    if failed:
        items.append(Table("Failed units, last attempt", ("unit", "attempt", "error"), failed))
    if results.quarantined:
        items.append(f"{results.quarantined} damaged files were set aside in quarantine/.")
    if results.stuck:
        items.append(tell_stuck(results.stuck))
    return items


def describe_methods(results: Results) -> list[Paragraphs | Table]:
    """The methods in words, then tables of all that they name."""
    parts = results.study["parts"]
    return [
        describe_study(parts),
        tabulate_parts(parts),
        *tabulate_rules(results),
        tabulate_thresholds(),
        explain_statistics(parts),
    ]


def tabulate_parts(parts: list[dict[str, Any]]) -> Table:
    """What each part trained, and how; a column per part."""
    columns = []
    for part in parts:
        rates = part.get("rates", ())
        options = "".join(f", {name}={value}" for name, value in part["options"].items())
        depths = ", ".join(map(str, part.get("depths", ())))
        if part.get("widths"):
            depths += f" at widths {', '.join(map(str, part['widths']))}"
        columns.append(
            {
                "kind": part["kind"],
                "space": part["space"] + options,
                "architectures": f"depths {depths}" if depths else f"{part['sample'] or 'all'}",
                "rules": ", ".join(part["rules"]),
                "seeds": str(part["seeds"]),
                "rates": f"{len(rates)}, {format_number(rates[0])} to {format_number(rates[-1])}"
                if rates
                else "one step",
                "data": part["dataset"],
                "recipe": describe_recipe(part["recipe"]),
            }
        )
    rows = [(field, *(column[field] for column in columns)) for field in columns[0]]
    return Table("The parts of this study", ("field", *(part["name"] for part in parts)), rows)


def describe_recipe(values: Mapping[str, Any]) -> str:
    """What a recipe says, leaving out what is zero or false."""
    given = {field.name: values[field.name] for field in fields(Recipe) if values.get(field.name)}
    named = [name if value is True else f"{name} {value}" for name, value in given.items()]
    return ", ".join(named).replace("_", " ")


def tabulate_rules(results: Results) -> tuple[Table, Table, Table]:
    """The rules, the conventions they read and the initializations they ask for."""
    used = results.table.group_by(["rule", "rule_version", "convention", "initialization"])
    rows = sorted(used.aggregate([]).to_pylist(), key=lambda row: tuple(map(str, row.values())))
    told = [
        (*row.values(), found.formula_at(row["rule_version"]), found.source)
        for row in rows
        if (found := rules.find(row["rule"]))
    ]
    named = [name for name in dict.fromkeys(row["convention"] for row in rows) if name]
    counted = [conventions.CONVENTIONS[name] for name in named if name in conventions.CONVENTIONS]
    schemes = dict.fromkeys(row["initialization"] for row in rows)
    documented = [
        (s, read_docstring(variances.SCHEMES[s])) for s in schemes if s in variances.SCHEMES
    ]
    columns = ("rule", "version", "convention", "initialization", "formula", "source")
    return (
        Table(
            "The rules: each is a rate, an initialization and a way to count depth", columns, told
        ),
        Table(
            "The conventions by which they count depth (tags: P paper, C code, A summaries)",
            ("convention", "scope", "counts", "source"),
            [(each.name, each.scope, each.counts, each.source) for each in counted],
        ),
        Table("The initializations", ("name", "variance of a weight"), documented),
    )


def tabulate_thresholds() -> Table:
    """The numbers that turn an interval into a word."""
    rows = [
        ("smallest change of ranking", format_number(TAU_MARGIN), "delta, in tau-b"),
        (
            "smallest gain",
            f"{format_number(100 * ACCURACY_MARGIN)} points",
            "mean accuracy shift",
        ),
        (
            "loss near the best",
            f"{LOSS_MARGIN:.0%} of the loss of guessing",
            "mean excess loss",
        ),
        ("level", f"{100 * LEVEL:.0f}%", "every interval"),
    ]
    note = (
        "Yes needs the whole interval above 0 (and Holm's correction over the rules of the part); "
    )
    note += "no needs it below the smallest effect of interest; else undetermined"
    return Table(note, ("threshold", "value", "applies to"), rows)


def explain_statistics(parts: list[dict[str, Any]]) -> Table:
    """What each statistic is, in the words of the code that computes it."""
    kinds = dict.fromkeys(part["kind"] for part in parts)
    return Table(
        "The statistics, from the docstrings of the functions that computed them",
        ("statistic", "definition"),
        [
            (name, read_docstring(function))
            for kind in kinds
            for name, function in STATISTICS[kind].items()
        ],
    )


def read_docstring(function: Callable[..., Any]) -> str:
    """A docstring as running text, up to its arguments."""
    text = (inspect.getdoc(function) or "").split("\n\nArgs:")[0]
    return " ".join(text.replace("`", "").split())


def tabulate_provenance(results: Results) -> Table:
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
        ("cores of a machine", ", ".join(map(str, origin.cores)) or "–"),
        ("GPUs", ", ".join(origin.accelerators) or "none"),
        ("training time", f"{origin.seconds:,.0f} s, summed over units"),
        ("newest unit", origin.finished or "–"),
        ("trained by", f"{results.command or FORMER_COMMAND}, with the fields under Methods"),
        ("this page is made again by", "python -m benchmark report RESULTS"),
    ]
    if results.extra:
        rows.append(
            ("left out", f"{results.extra} stored units that the present plan does not name")
        )
    return Table("What ran, where and when", ("of", "value"), rows)
