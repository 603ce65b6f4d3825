"""What a depth part says of the rules: their rates beside the measured ones, and their regret."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.report.content import Figure, Table, Verdict, interval, number, sentence, slug
from benchmark.report.figures import Panel, Series, curves
from benchmark.report.ladder import Ladder, Scheme
from benchmark.report.verdict import RATE_FACTOR, below


def verdicts(ladder: Ladder) -> list[Verdict]:
    """A verdict per rule."""
    return [verdict(ladder, scheme, rule) for scheme in ladder.schemes for rule in scheme.rules]


def verdict(ladder: Ladder, scheme: Scheme, rule: str) -> Verdict:
    """Whether a rule's rates lie near the measured optima."""
    question = f"Does the rule land within a factor {RATE_FACTOR:g} of the best rate, on average?"
    found = ladder.transfers.get(rule)
    if found is None:
        why = (
            f"{ladder.rungs[0]}, from which the constant would come, is {scheme.optima[0].status}."
        )
        return Verdict(ladder.name, "Rate predicted", question, rule, "undetermined", sentence(why))
    error = found.absolute_log10_error
    answer, why = below(error, float(np.log10(RATE_FACTOR)))
    factor = f"a factor {number(10**error.estimate)}"
    if error.determined:
        factor += (
            f" [{number(10 ** max(error.low, 0.0))}, {number(10**error.high)}], n = {error.n} rungs"
        )
    because = f"Off by {factor}; regret {interval(found.regret)}."
    return Verdict(
        ladder.name, "Rate predicted", question, rule, answer, f"{because} {sentence(why)}".strip()
    )


def items(ladder: Ladder, colors: Mapping[str, int]) -> tuple[Figure | Table, ...]:
    """Figures and table; none where no rule could get its constant."""
    predictions = [each for each in ladder.predictions() if each[3].usable]
    if not predictions:
        return ()
    by_rule: dict[str, list[tuple[float, float, float, float]]] = {}
    rows = []
    for rule, rung, depth, optimum, found in predictions:
        point = (depth, optimum.rate, found.predicted_rate, max(found.regret, 0.0))
        by_rule.setdefault(rule, []).append(point)
        how = (
            "diverged"
            if found.diverged
            else "outside the grid"
            if found.outside
            else "interpolated"
        )
        rows.append((rung, rule, *point[:3], found.regret, how))
    columns = ("rung", "rule", "effective depth", "measured best rate", "predicted rate", "regret")
    data = Table(f"{ladder.name}: predictions", (*columns, "loss at the predicted rate"), rows)
    return (
        rate_figure(ladder, by_rule, data, colors),
        regret_figure(ladder, by_rule, data, colors),
        Table(
            "Every rule over the rungs beyond the shallowest; the log10 error is 0 where it is right",
            ("rule", "regret (loss)", "log10 rate error", "|log10 rate error|")
            + ("rungs diverged", "rungs outside the grid"),
            [
                (rule, f.regret, f.log10_error, f.absolute_log10_error, f.diverged, f.outside)
                for rule, f in ladder.transfers.items()
            ],
        ),
    )


def rate_figure(
    ladder: Ladder,
    by_rule: Mapping[str, list[tuple[float, float, float, float]]],
    data: Table,
    colors: Mapping[str, int],
) -> Figure:
    """Predicted against measured rates; on the line, a rule is right."""
    name, title = slug(ladder.name, "rates"), f"{ladder.name}: predicted against measured rates"
    series, edges = [], []
    for rule, points in by_rule.items():
        _, measured, predicted, _ = zip(*points, strict=True)
        series.append(Series(label=rule, x=measured, y=predicted, color=colors[rule], line=""))
        edges += measured
    line = (min(edges), max(edges))
    series.append(Series(label="predicted = measured", x=line, y=line, line=":", marker=False))
    ratios = ", ".join(
        f"{rule} {number(10 ** ladder.transfers[rule].log10_error.estimate)}" for rule in by_rule
    )
    finding = (
        "Every rule starts from its own optimum on the shallowest rung. Geometric mean of "
        f"predicted over measured: {ratios} (1 is right, above 1 too large)."
    )
    panel = Panel(title="", series=series)
    drawn = curves(name, title, [panel], "measured best rate", "predicted rate", height=3.4)
    return Figure(name, title, finding, drawn, data)


def regret_figure(
    ladder: Ladder,
    by_rule: Mapping[str, list[tuple[float, float, float, float]]],
    data: Table,
    colors: Mapping[str, int],
) -> Figure:
    """Regret against depth, per rule."""
    name, title = slug(ladder.name, "regret"), f"{ladder.name}: regret against depth"
    series = []
    for rule, points in by_rule.items():
        depth, _, _, regret = zip(*points, strict=True)
        series.append(Series(label=rule, x=depth, y=regret, color=colors[rule]))
    least = min(by_rule, key=lambda rule: ladder.transfers[rule].regret.estimate)
    finding = (
        f"Least regret on average: {least}, {interval(ladder.transfers[least].regret)} rungs. "
        "Interpolated on the grid in log rate, not trained at the predicted rate; a rate that "
        "diverges is scored as guessing."
    )
    drawn = curves(
        name,
        title,
        [Panel(title="", series=series)],
        "effective depth (layers and additions)",
        "regret (training loss)",
        log="x",
        x_ticks=ladder.depth_D,
        height=3.0,
        level=0.0,
    )
    return Figure(name, title, finding, drawn, data)
