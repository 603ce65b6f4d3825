"""Loss against rate, a line per rung: raw, and divided by what a rule predicts for that rung.

Where a rule is right its minima stand above one another at 1 (the figure of the papers on transfer,
for example arXiv 2203.03466, with an interval at each optimum).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmark.analysis.ladders.optimum import Optimum
from benchmark.findings.content import Figure, Table, TableCell, format_number, make_slug
from benchmark.findings.ladders.arrays.drawn_rungs import choose_drawn, name_series, tell_drawn
from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays, Scheme
from benchmark.findings.plots import Curves, Mark
from benchmark.study.rates import LOSS_NAMES

RATE = "learning rate"
RELATIVE = "learning rate / the rule's prediction"
SHOWN = 1.25
"""Of the loss of guessing: losses above are not drawn."""


def show_aligned_curves(
    ladder: DepthArrays, width_of: Mapping[str, int] | None = None
) -> tuple[Figure, ...]:
    """The raw curves of every initialization, then every rule's curves over its prediction.

    ``width_of`` names the width of every rung of a ladder over several, narrowest first.
    """
    raw = {scheme.name: (scheme, np.ones(len(ladder.rungs))) for scheme in ladder.schemes}
    aligned = {
        rule: (scheme, predict_rates(scheme, rule))
        for scheme in ladder.schemes
        for rule in scheme.transfers
    }
    labels = name_series(ladder, width_of)
    one = "depth and width" if width_of else "depth"
    told = f"One line per {one}, means over seeds; a diamond is an optimum with its interval"
    figures = [
        draw_aligned(
            *(ladder, labels),
            "curves",
            raw,
            ("initialization", RATE),
            f"{told}, hollow where it is not used. Dotted: the loss of guessing.",
        )
    ]
    if aligned:
        spread = tell_spread({rule: (s.optima, rate_D) for rule, (s, rate_D) in aligned.items()})
        figures.append(
            draw_aligned(
                *(ladder, labels),
                "aligned",
                aligned,
                ("rule", RELATIVE),
                "Where the optima stand above one another at 1, the rule transfers. "
                f"{spread}{told}.",
            )
        )
    return tuple(figures)


def predict_rates(scheme: Scheme, rule: str) -> np.ndarray:
    """The rule's rate on every rung, the shallowest (whose optimum it takes) first."""
    beyond = [rung.predicted_rate for rung in scheme.transfers[rule].rungs]
    return np.array([scheme.optima[0].rate, *beyond])


def find_positions(optima: Sequence[Optimum], rate_D: np.ndarray) -> np.ndarray:
    """log10 of the usable optima over the predicted rates."""
    return np.array(
        [
            np.log10(optimum.rate / rate)
            for optimum, rate in zip(optima, rate_D.tolist(), strict=True)
            if optimum.usable
        ]
    )


def tell_spread(panels: Mapping[str, tuple[Sequence[Optimum], np.ndarray]]) -> str:
    """How far the usable optima lie apart, over the rates that a rule predicts, under each rule
    that has two or more of them; "" where none has."""
    found = {rule: find_positions(*panel) for rule, panel in panels.items()}
    spread = [
        f"{rule} {format_number(10 ** float(np.ptp(positions)))}"
        for rule, positions in found.items()
        if len(positions) > 1
    ]
    if not spread:
        return ""
    factors = ", ".join(spread)
    return f"From the leftmost to the rightmost optimum they lie apart by a factor: {factors}. "


def draw_aligned(
    ladder: DepthArrays,
    labels: Sequence[str],
    stem: str,
    panels: Mapping[str, tuple[Scheme, np.ndarray]],
    columns: tuple[str, str],
    finding: str,
) -> Figure:
    """Panels of curves, their rates divided by the panel's own."""
    rows: list[tuple[TableCell, ...]] = []
    marks: dict[str, list[Mark]] = {}
    for panel, (scheme, divisor_D) in panels.items():
        for d in choose_drawn(len(ladder.rungs)):
            curve = zip(ladder.rate_R.tolist(), scheme.mean_DR[d].tolist(), strict=True)
            rows += [
                (ladder.rungs[d], panel, labels[d], rate / float(divisor_D[d]), loss)
                for rate, loss in curve
                if not np.isnan(loss)
            ]
            marks.setdefault(panel, []).extend(
                mark_optimum(scheme.optima[d], float(divisor_D[d]), labels[d])
            )
    panel_name, x = columns
    loss_name = LOSS_NAMES[ladder.criterion]
    title = {
        RATE: "loss against rate, by depth",
        RELATIVE: "loss against rate over each rule's prediction",
    }[x]
    return Figure(
        make_slug(ladder.name, stem),
        finding + tell_drawn(len(ladder.rungs)),
        Table(f"{ladder.name}: {title}", ("rung", panel_name, "depth", x, loss_name), rows),
        Curves(
            (x, loss_name, "depth"),
            panel=panel_name,
            log="x",
            level=ladder.chance,
            y_max=SHOWN * ladder.chance,
            marks=marks,
            upright=1.0 if x == RELATIVE else None,
            ordered=True,
        ),
    )


def mark_optimum(optimum: Optimum, divisor: float, series: str) -> Iterator[Mark]:
    """An optimum's mark; none where no rate is stable."""
    if not np.isfinite([optimum.rate, optimum.loss]).all():
        return
    value = optimum.log10_rate
    ends = (value.low, value.high) if value.determined else (np.log10(optimum.rate),) * 2
    low, high = (float(10**end) / divisor for end in ends)
    yield Mark(optimum.rate / divisor, low, high, optimum.loss, series, optimum.usable)
