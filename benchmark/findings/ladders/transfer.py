"""What a depth part says of the rules: their rates beside the measured ones, and their regret."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.regret.transfer import RungTransfer, Transfer
from benchmark.analysis.thresholds import LOSS_MARGIN, RATE_FACTOR
from benchmark.findings.content import (
    Figure,
    Table,
    TableCell,
    format_count,
    format_interval,
    format_number,
    make_slug,
)
from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays, Scheme
from benchmark.findings.plots import Curves, Line
from benchmark.findings.verdict import Verdict, judge_below

TOPIC = "Loss near the best"
QUESTION = (
    "Is the training loss at the rule's rates near the lowest that anything reached, on average "
    f"over all rungs (within {LOSS_MARGIN:.0%} of the loss of guessing)?"
)
COLUMNS = ("rung", "rule", "effective depth", "measured best rate", "predicted rate")
REGRET = "regret (training loss)"
BOUNDS = ("measured low", "measured high")


def judge_transfers(ladder: DepthArrays) -> list[Verdict]:
    """Whether each rule's loss lies near the best, over all rungs, untrained ones too."""
    bound = LOSS_MARGIN * ladder.chance
    said = f"{format_number(bound)}, {LOSS_MARGIN:.0%} of the loss of guessing"
    result = []
    for scheme in ladder.schemes:
        for rule in scheme.rules:
            head = (ladder.name, TOPIC, QUESTION, rule)
            if rule not in ladder.excess:
                result.append(
                    Verdict(*head, "", "undetermined", explain_absence(ladder, scheme, rule))
                )
                continue
            lost = ladder.excess[rule]
            because = (
                f"Loss above the lowest {format_interval(lost.mean)} seeds, over all "
                f"{len(ladder.rungs)} rungs, the most on {ladder.rungs[lost.worst]} "
                f"({format_interval(lost.rungs[lost.worst])})"
            )
            found = scheme.transfers.get(rule)
            if found is None:
                because += f"; {ladder.rungs[0]} is {scheme.optima[0].status} at every rate"
            elif np.isfinite(found.absolute_log10_error.estimate):
                error = found.absolute_log10_error
                because += f"; rates off by a factor {format_number(10**error.estimate)}"
                if error.determined:
                    ends = 10 ** max(error.low, 0.0), 10**error.high
                    low, high = (format_number(end) for end in ends)
                    because += f" [{low}, {high}], {format_count(error.n)} rungs"
                because += f", rate regret {format_interval(found.regret)}"
                because += " rungs" if found.regret.determined else ""
            because += "."
            judged = judge_below(lost.mean, bound, said)
            result.append(Verdict(*head, because, *judged, seeds=lost.seeds))
    return result


def find_bounds(optimum: Optimum) -> tuple[float, float]:
    """The ends of an optimum's interval; its rate twice where it has none."""
    value = optimum.log10_rate
    if not value.determined:
        return optimum.rate, optimum.rate
    return float(10**value.low), float(10**value.high)


def explain_absence(ladder: DepthArrays, scheme: Scheme, rule: str) -> str:
    """Why a rule has no loss on all rungs."""
    if rule in scheme.transfers:
        return "a predicted rate lies outside the grid and was not trained"
    if rule in scheme.losses:
        return "no rung is trained at any rate"
    return f"{ladder.rungs[0]} is {scheme.optima[0].status}: the constant has no source"


def describe_source(found: RungTransfer) -> str:
    """Where the loss at a predicted rate comes from."""
    if found.outside:
        return "outside the grid"
    return "diverges" if found.diverged else "interpolated" if found.interpolated else "trained"


def describe_sources(transfers: Mapping[str, Transfer]) -> str:
    """How the losses at the predicted rates were found."""
    ways = {describe_source(rung) for found in transfers.values() for rung in found.rungs}
    if "interpolated" in ways:
        return "Interpolated on the grid in log rate, not trained"
    return "Trained at the predicted rates, above the rung's own fitted optimum"


def show_transfers(ladder: DepthArrays) -> tuple[Figure | Table, ...]:
    """Figures and table; none where no rule could get its constant."""
    rows = [
        (
            rung,
            rule,
            depth,
            optimum.rate,
            found.predicted_rate,
            found.regret,
            describe_source(found),
            *find_bounds(optimum),
        )
        for rule, rung, depth, optimum, found in ladder.predictions()
        if optimum.usable
    ]
    if not rows:
        return ()
    transfers = {rule: f for scheme in ladder.schemes for rule, f in scheme.transfers.items()}
    columns = (*COLUMNS, REGRET, "there", *BOUNDS)
    rates_shown = [row[place] for row in rows for place in (3, 4)]
    ends = [function(rates_shown) for function in (min, max)]
    ratios = [
        f"{rule} {format_number(10**f.log10_error.estimate)}" for rule, f in transfers.items()
    ]
    least = min(transfers, key=lambda rule: transfers[rule].regret.estimate)
    rates = Figure(
        make_slug(ladder.name, "rates"),
        "Every rule starts from its own optimum on the shallowest rung. Geometric mean of "
        f"predicted over measured: {', '.join(ratios)} (1 is right, above 1 too large). The band "
        f"is a factor {RATE_FACTOR:g} to both sides; bars are the intervals of the measured rates.",
        Table(f"{ladder.name}: predicted against measured rates", columns, rows),
        Curves(
            ("measured best rate", "predicted rate", "rule"),
            joined=False,
            lines=[Line("predicted = measured", ends, ends, "identity")],
            across=BOUNDS,
            square=True,
            factor=RATE_FACTOR,
        ),
    )
    regret = Figure(
        make_slug(ladder.name, "regret"),
        f"Least on average: {least}, {format_interval(transfers[least].regret)} rungs. "
        f"{describe_sources(transfers)}; "
        "divergence is scored as guessing.",
        Table(f"{ladder.name}: regret of every rule against depth", columns, rows),
        Curves(
            ("effective depth", REGRET, "rule"),
            joined=len(set(ladder.depth_D.tolist())) == len(ladder.rungs),
            log="x",
            ticks=ladder.depth_D,
            level=0,
        ),
    )
    told = [
        (
            rule,
            f.regret,
            f.log10_error,
            f.absolute_log10_error,
            f.correlation,
            f.diverged,
            f.outside,
        )
        for rule, f in transfers.items()
    ]
    names = ("rule", "regret", "log10 rate error", "its size", "r", "diverged", "outside the grid")
    title = (
        "Every rule over the rungs beyond the shallowest; r is the correlation of predicted and "
        "measured rates (logarithms), blind to a wrong exponent"
    )
    costs = (*tabulate_excess(ladder), *tabulate_rechosen(ladder))
    return rates, regret, Table(title, names, told), *costs


def tabulate_excess(ladder: DepthArrays) -> tuple[Table, ...]:
    """What every rule loses on all rungs, untrained ones too, least first; none without losses."""
    ordered = sorted(ladder.excess.items(), key=lambda each: each[1].mean.estimate)
    rows: list[tuple[TableCell, ...]] = [
        (
            *(rule, lost.mean, ladder.rungs[lost.worst], lost.rungs[lost.worst]),
            *(each.estimate for each in lost.rungs),
        )
        for rule, lost in ordered
    ]
    title = (
        "Loss above the lowest that any rule reached on that rung, at its own rate or at the best "
        "of its grid, over all rungs (divergence is scored as guessing). oracle-constant is the "
        "best single rate in hindsight. Intervals are over seeds; that of the mean holds the "
        "error of the base rate too"
    )
    columns = ("rule", "mean", "worst rung", "there", *ladder.rungs)
    return (Table(title, columns, rows),) if rows else ()


def tabulate_rechosen(ladder: DepthArrays) -> tuple[Table, ...]:
    """Regret with the base rate held fixed and chosen anew; none with one seed."""
    rows: list[tuple[TableCell, ...]] = [
        (
            *(rule, each.rate_fixed, each.rate_rechosen, each.ratio),
            *(each.log10_rate_error, f"{each.lost:.0%}"),
        )
        for scheme in ladder.schemes
        for rule, each in scheme.rechosen.items()
    ]
    title = (
        "Regret with the base rate held fixed, and with it chosen anew in every resample of its "
        "seeds: both intervals, the ratio of their widths, and the standard deviation of the "
        "chosen rate in decades"
    )
    columns = ("rule", "rate fixed", "rate re-chosen", "ratio", "decades", "no optimum")
    return (Table(title, columns, rows),) if rows else ()
