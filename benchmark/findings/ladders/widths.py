"""A part over several widths: the rows of each, and exponents of the best rate in width."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.ladders.width_exponent import fit_width_exponent
from benchmark.findings.content import Table, TableCell
from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays


class AtWidth(NamedTuple):
    """A part at one of its widths: its name there, what was asked, and its rows."""

    width: int
    name: str
    part: dict[str, Any]
    rows: pa.Table


def split_widths(part: Mapping[str, Any], table: pa.Table) -> list[AtWidth]:
    """The part once per width, in the order of its field, and each with its own rows.

    Rows name their width in ``space_options`` (canonical JSON). Raises ``KeyError`` for options
    without one, which no planned row of such a part has.
    """
    options = table["space_options"].unique().to_pylist()
    found = []
    for width in part["widths"]:
        own = [each for each in options if json.loads(each)["width"] == width]
        narrowed = {**part, "options": {**part["options"], "width": width}, "widths": ()}
        name = f"{part['name']}, width {width}"
        rows = table.filter(pc.field("space_options").isin(pa.array(own, pa.string())))
        found.append(AtWidth(width, name, narrowed, rows))
    return found


def name_rung(architecture: str, width: int) -> str:
    """A rung among those of all widths."""
    return f"{architecture}, width {width}"


def list_rung_widths(split: list[AtWidth]) -> dict[str, int]:
    """The width of every rung."""
    return {
        name_rung(architecture, at.width): at.width
        for at in split
        for architecture in at.rows["architecture"].unique().to_pylist()
    }


def join_widths(part: Mapping[str, Any], split: list[AtWidth]) -> DepthArrays:
    """All rungs of all widths as one ladder, the base (first width, shallowest) first.

    Every rule carries its constant from there to all others.
    """
    tables, rungs = [], []
    for at in split:
        named = [name_rung(each, at.width) for each in at.rows["architecture"].to_pylist()]
        place = at.rows.schema.get_field_index("architecture")
        tables.append(at.rows.set_column(place, "architecture", pa.array(named, pa.string())))
        depth = dict(zip(named, at.rows["effective_depth"].to_pylist(), strict=True))
        rungs += sorted(depth, key=lambda rung: depth[rung] or 0)
    return DepthArrays.of(part, pa.concat_tables(tables), rungs=rungs)


def tabulate_excess_by_width(whole: DepthArrays, split: list[AtWidth]) -> tuple[Table, ...]:
    """What every rule loses at each width, and where the ladder is widest and deepest."""
    width_of = list_rung_widths(split)
    width_D = np.array([width_of[rung] for rung in whole.rungs])
    corner = int(np.lexsort((whole.depth_D, width_D))[-1])
    rows: list[tuple[TableCell, ...]] = []
    for rule, lost in sorted(whole.excess.items(), key=lambda each: each[1].mean.estimate):
        lost_D = np.array([each.estimate for each in lost.rungs])
        by_width = (float(lost_D[width_D == at.width].mean()) for at in split)
        rows.append((rule, lost.mean, *by_width, lost.rungs[corner]))
    widths = (f"width {at.width}" for at in split)
    title = "Transfer over depth and width: the loss above the lowest, on average at each width"
    columns = ("rule", "all rungs", *widths, whole.rungs[corner])
    return (Table(title, columns, rows),) if rows else ()


def tabulate_width_exponents(whole: DepthArrays, split: list[AtWidth]) -> Table:
    """How the best rate changes with width, at every depth, by initialization."""
    rows: list[tuple[TableCell, ...]] = []
    architectures = list(
        dict.fromkeys(each for at in split for each in at.rows["architecture"].to_pylist())
    )
    place = {rung: index for index, rung in enumerate(whole.rungs)}
    for architecture in architectures:
        there = [
            (at.width, place[rung])
            for at in split
            if (rung := name_rung(architecture, at.width)) in place
        ]
        width_W = np.array([width for width, _ in there], dtype=np.float64)
        for scheme in whole.schemes:
            exponent = fit_width_exponent(width_W, [scheme.optima[index] for _, index in there])
            between = f"{min(width_W):g} to {max(width_W):g}"
            rows.append((architecture, scheme.name, between, exponent))
    return Table(
        "The exponent of the best rate in width, at every depth",
        ("rung", "initialization", "widths", "exponent"),
        rows,
    )
