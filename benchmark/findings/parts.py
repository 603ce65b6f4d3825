"""What every part of a study found, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from benchmark.findings.content import Block
from benchmark.findings.ladders import depth_part, updates_part
from benchmark.findings.published import beside
from benchmark.findings.ranking import rank_part
from benchmark.findings.verdict import Findings, Verdict
from benchmark.published.table import Published
from benchmark.store.results import Results

KINDS: Final[dict[str, Callable[[Mapping[str, Any], pa.Table], Findings]]] = {
    "rank": rank_part.judge_rank_part,
    "depth": depth_part.judge_depth_part,
    "updates": updates_part.judge_updates_part,
}


def judge_study(results: Results, table: Published | None) -> Findings:
    """The verdicts and blocks of every part.

    ``table`` has published accuracies; parts that rank NAS-Bench-201's cells are held against them.
    """
    parts = results.study["parts"]
    verdicts: list[Verdict] = []
    blocks: list[Block] = []
    for part in parts:
        rows = results.table.filter(pc.field("part") == part["name"])
        judged, found = KINDS[part["kind"]](part, rows)
        verdicts, blocks = verdicts + judged, blocks + found
        if table and part["kind"] == "rank" and part["space"] == "nasbench201":
            judged, found = beside.compare_with_published(part, rows, table)
            verdicts, blocks = verdicts + judged, blocks + found
    return verdicts, blocks
