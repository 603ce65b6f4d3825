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

KINDS: Final[dict[str, Callable[[Mapping[str, Any], pa.Table, Mapping[str, int]], Findings]]] = {
    "rank": rank_part.findings,
    "depth": depth_part.findings,
    "updates": updates_part.findings,
}


def findings(results: Results, table: Published | None) -> Findings:
    """The verdicts and blocks of every part; a rule has one colour in all of them.

    ``table`` has published accuracies; parts that rank NAS-Bench-201's cells are held against them.
    """
    parts = results.study["parts"]
    rules = dict.fromkeys(rule for part in parts for rule in part["rules"])
    colors = {rule: index % 8 for index, rule in enumerate(rules)}
    verdicts: list[Verdict] = []
    blocks: list[Block] = []
    for part in parts:
        rows = results.table.filter(pc.field("part") == part["name"])
        judged, found = KINDS[part["kind"]](part, rows, colors)
        verdicts, blocks = verdicts + judged, blocks + found
        if table and part["kind"] == "rank" and part["space"] == "nasbench201":
            judged, found = beside.findings(part, rows, table, colors)
            verdicts, blocks = verdicts + judged, blocks + found
    return verdicts, blocks
