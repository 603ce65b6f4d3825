"""How the one-step rate, at which the mean over layers is 1, falls with depth, and by which law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from benchmark.analysis.intervals import Interval
from benchmark.analysis.ladders.local_exponents import ExponentProfile
from benchmark.analysis.ladders.one_step import check_tail, fit_update_exponent
from benchmark.analysis.ladders.update_profile import Over, fit_update_profile
from benchmark.analysis.thresholds import Judged
from benchmark.findings.content import Table, TableCell
from benchmark.findings.ladders.laws import LAWS, Law, count_units, judge_law
from benchmark.findings.updates.moments import Chain, RuleUpdates

SUMMARIES: Final[tuple[Over, ...]] = ("mean", "median", "log-mean")
Profiles = dict[str, dict[Over, ExponentProfile]]
"""By unit of depth, and by how seeds are summarized."""


class SharedWeights(NamedTuple):
    """Rules that draw the same weights, the moments of the first, and the exponents of these."""

    rules: tuple[str, ...]
    updates: RuleUpdates
    profiles: Profiles

    @property
    def name(self) -> str:
        """The rules, as a cell names them."""
        return ", ".join(self.rules)

    @property
    def means(self) -> dict[str, ExponentProfile]:
        """The profile of means over seeds by unit of depth."""
        return {unit: by_over["mean"] for unit, by_over in self.profiles.items()}

    @property
    def by_units(self) -> list[tuple[str, dict[Over, ExponentProfile]]]:
        """The profiles by unit of depth; units that count all rungs alike are told together."""
        named: dict[Interval, list[str]] = {}
        for unit, by_over in self.profiles.items():
            named.setdefault(by_over["mean"].line, []).append(unit)
        return [(", ".join(units), self.profiles[units[0]]) for units in named.values()]


def fit_one_step_rates(part: Mapping[str, Any], group: Sequence[RuleUpdates]) -> SharedWeights:
    """The exponents of rules that draw the same weights, in every unit of depth, by means, medians
    and log-means over seeds; none where rungs have no seed in common."""
    first = group[0]
    units = count_units(part, first.rungs, first.depth_D) if first.paired[0].size else {}
    profiles: Profiles = {
        unit: {over: fit_update_profile(depth_D, first.paired, over=over) for over in SUMMARIES}
        for unit, depth_D in units.items()
    }
    return SharedWeights(tuple(each.rule for each in group), first, profiles)


def tabulate_one_step_rates(drawn: Sequence[SharedWeights]) -> tuple[Table, ...]:
    """One line and the deepest exponents of every way to draw the weights, by means, medians and
    log-means over seeds."""
    rows: list[tuple[TableCell, ...]] = []
    for each in drawn:
        found = fit_update_exponent(each.updates.depth_D, each.updates.moments)
        tails = "heavy" if found.heavy_tailed else "light"
        for units, by_over in each.by_units:
            mean, *others = (by_over[over] for over in SUMMARIES)
            fits = "one line, fits" if mean.fits else "one line, does not fit"
            lines = (profile.line for profile in (mean, *others))
            rows.append((each.name, units, fits, *lines, tails))
            between = f"deepest, {mean.deepest.shallow:g} to {mean.deepest.deep:g}"
            deepest = (profile.deepest.exponent for profile in (mean, *others))
            rows.append((each.name, units, between, *deepest, tails))
    title = (
        "The one-step rate, at which the mean over layers is 1, falls as depth to this power, by "
        "the mean, the median and the log-mean over seeds. The theory speaks of the mean; where "
        "the three differ, rare seeds carry it. Rules that draw the same weights share a rate"
    )
    columns = ("weights drawn for", "depth in", "of", *SUMMARIES, "tails")
    return (Table(title, columns, rows),) if rows else ()


def tabulate_one_step_laws(
    drawn: Sequence[SharedWeights], chain: Chain | None
) -> tuple[Table, ...]:
    """Whether the one-step rate follows each law, in the law's own unit of depth."""
    rows: list[tuple[TableCell, ...]] = [
        (each.name, law.topic, judged.value, judged.answer, judged.why)
        for each in drawn
        for law, judged in judge_one_step_laws(each, chain)
    ]
    title = (
        "The published laws at one step, each in its own unit of depth. Where one line does not "
        "fit, the answer rests on the deepest rungs"
    )
    columns = ("weights drawn for", "law", "exponent", "answer", "why")
    return (Table(title, columns, rows),) if rows else ()


def judge_one_step_laws(drawn: SharedWeights, chain: Chain | None) -> Iterator[tuple[Law, Judged]]:
    """Every law whose unit counts the rungs, and its answer; none of a chain that is too deep."""
    means = drawn.means
    tail = explain_tail(drawn.updates, chain)
    for law in LAWS:
        if law.unit not in means:
            continue
        judged = judge_law(law, means)
        yield law, judged._replace(answer="undetermined", why=tail) if tail else judged


def explain_tail(updates: RuleUpdates, chain: Chain | None) -> str:
    """Why a chain's rungs carry no verdict; empty where they do."""
    return check_tail(chain.layers_of(updates.rungs), chain.width) if chain else ""
