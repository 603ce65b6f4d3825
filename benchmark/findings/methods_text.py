"""The methods as running text: what was trained, what was measured, when an answer is yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmark.analysis.intervals import LEVEL
from benchmark.analysis.thresholds import ACCURACY_MARGIN, LOSS_MARGIN, TAU_MARGIN
from benchmark.findings.answers.networks import list_rungs
from benchmark.findings.content import Paragraphs, format_number, title_name

RANK: Final = (
    "Each rule turns one constant into a rate for every architecture. The constant of a rule is "
    "the rate of the grid with the highest mean validation accuracy on architectures that are not "
    "ranked; it is then held fixed. Two rankings are compared by Kendall's tau-b on test accuracy "
    "of single seeds. The tau across rules pairs different seeds, and its ceiling is the tau "
    "between two seeds of one rule, so their difference, delta, is what the rule changes beyond "
    f"seed noise; below {TAU_MARGIN:g} it counts as no change. The intervals of tau come from "
    "resampling architectures. Gains in accuracy are paired by architecture and seed; below "
    f"{100 * ACCURACY_MARGIN:g} points they count as none."
)
DEPTH: Final = (
    "Each rung is trained at every rate of the grid. A parabola through the mean losses near the "
    "lowest one, in log rate, gives its best rate, with one window for all rungs, as wide as the "
    "seeds allow; where that lies on the grid's edge, or the rung "
    "does not beat guessing, it is shown and left out of every fit. The exponent is the slope of "
    "log best rate on log depth. A rule takes its constant from the shallowest rung alone. What it "
    "loses is the training loss at its own rates above the lowest that any rule reached on that "
    "rung, at its rate or at the best of its grid, averaged over all rungs, untrained ones too; "
    f"below {LOSS_MARGIN:.0%} of the loss of guessing it counts as near the best. Rate regret is "
    "the loss at the rule's rate above the best under its own initialization. A replica that "
    "diverged is scored as guessing."
)
UPDATES: Final = (
    "One step is taken at initialization, and the mean squared change of every layer's "
    "pre-activations is measured over the images of one batch. The mean over layers and seeds, "
    "scaled so that the shallowest rung has 1, is fitted against depth as a power: a rule whose "
    "exponent cannot be told from 0 keeps its step at one size. Where a test rejects one line, the "
    "last factor 4 in depth decides. A plain chain with more layers than an eighth of its width "
    "gets no answer: the mean over seeds is then carried by rare ones."
)
TEXTS: Final[Mapping[str, str]] = {"rank": RANK, "depth": DEPTH, "updates": UPDATES}


def describe_study(parts: Sequence[Mapping[str, Any]]) -> Paragraphs:
    """What every part trained, in a sentence each, then how each kind of part is judged."""
    kinds = dict.fromkeys(part["kind"] for part in parts)
    ending = (
        f"Every interval holds {100 * LEVEL:.0f}% and stands beside its n. The answers about all "
        "rules of one question form a family, and Holm's correction applies to it. A yes needs the "
        "whole interval on one side; a no needs it below the smallest effect of interest; anything "
        "else cannot be told. Every planned replica is counted, and none is trained twice to get "
        "another result."
    )
    texts = [*map(describe_part, parts), *(TEXTS[kind] for kind in kinds), ending]
    return Paragraphs(texts)


def describe_part(part: Mapping[str, Any]) -> str:
    """One sentence: networks, rules, rates, seeds, data and length of training."""
    depths, rates, recipe = part.get("depths"), part.get("rates", ()), part["recipe"]
    if depths:
        what = f"{part['space']} networks of {list_rungs(part)}"
        if part.get("widths"):
            what += f" at widths {', '.join(map(str, part['widths']))}"
    else:
        what = f"{part['sample'] or 'all'} architectures of {part['space']}"
    if part["kind"] == "updates":
        how = "takes one step from initialization"
    elif recipe.get("steps"):
        how = f"trains for {recipe['steps']:,} steps"
    else:
        epochs = recipe["epochs"]
        how = f"trains for {epochs} epoch{'s' if epochs > 1 else ''}"
    told = f"{title_name(part['name'])} {how} on {part['dataset']}: {what}"
    told += f", under {', '.join(part['rules'])}"
    if rates:
        told += f", at {len(rates)} rates from {format_number(rates[0])} to "
        told += format_number(rates[-1])
    seeds = part["seeds"]
    return (
        f"{told}, with {seeds} seed{'s' if seeds > 1 else ''}, by {recipe['optimizer']} in batches "
        f"of {recipe['batch']}."
    )
