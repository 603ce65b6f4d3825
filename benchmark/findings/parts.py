"""What every part of a study found, by its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from benchmark.findings.answers.study import void_controlled
from benchmark.findings.content import Block
from benchmark.findings.ladders import depth_part
from benchmark.findings.published import beside
from benchmark.findings.ranking import rank_part
from benchmark.findings.updates import updates_part
from benchmark.findings.verdict import Findings, Verdict, is_judged
from benchmark.published.table import Published
from benchmark.store.results import Results
from search_spaces.errors import InvalidInput

Judge = Callable[[Mapping[str, Any], pa.Table], Findings]
KINDS: Final[dict[str, tuple[str, Judge]]] = {
    "rank": ("rank", rank_part.judge_rank_part),
    "depth": ("slope", depth_part.judge_depth_part),
    "updates": ("updates", updates_part.judge_updates_part),
}
"""The section of the page and the judge of every kind of part."""

UNJUDGED: Final = (
    "This part is not judged: its plan (`judged`) says that it is too small to answer. Its numbers "
    "show how the measures are made."
)


def judge_study(results: Results, table: Published | None) -> Findings:
    """The verdicts and blocks of every part; a part that cannot be judged says why.

    ``table`` has published accuracies; parts that rank NAS-Bench-201's cells are held against them.
    """
    parts = results.study["parts"]
    verdicts: list[Verdict] = []
    blocks: list[Block] = []
    for part in parts:
        rows = results.table.filter(pc.field("part") == part["name"])
        judged, found = judge_part(part, rows)
        verdicts, blocks = verdicts + judged, blocks + found
        if table and part["kind"] == "rank" and part["space"] == "nasbench201":
            judged, found = beside.compare_with_published(part, rows, table)
            verdicts, blocks = verdicts + (judged if is_judged(part) else []), blocks + found
    verdicts = void_controlled(verdicts)
    return verdicts, open_with_one(blocks, verdicts)


def open_with_one(blocks: Sequence[Block], verdicts: Sequence[Verdict]) -> list[Block]:
    """The blocks, with the figures of one part for the answer; the others stay in their sections.

    It is the part of which most can be told; the first of several.
    """
    told = Counter(v.part for v in verdicts if v.answer != "undetermined")
    opening = [block for block in blocks if block.section == "answer"]
    chosen = max(opening, key=lambda block: told[block.part], default=None)
    return [
        replace(block, section="slope")
        if block.section == "answer" and block is not chosen
        else block
        for block in blocks
    ]


def judge_part(part: Mapping[str, Any], rows: pa.Table) -> Findings:
    """What a part found, or the sentence of the analysis that refuses its numbers: the page and
    its other parts do not hang on it."""
    section, judge = KINDS[part["kind"]]
    try:
        verdicts, blocks = judge(part, rows)
    except InvalidInput as error:
        return [], [Block(section, part["name"], [f"This part cannot be judged: {error}."])]
    if is_judged(part):
        return verdicts, blocks
    return [], [Block(section, part["name"], [UNJUDGED]), *blocks]
