"""``python -m benchmark.merge A B --out C``: the results of one study that were made apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.command import Parser, entry_point
from benchmark.store.formats.manifest import same_study
from benchmark.store.formats.unit_file import equal_rows
from benchmark.store.store import Store


@dataclass(frozen=True)
class Merged:
    """What became of the units: ``copied`` anew, ``shared`` by several folders with equal rows,
    and the ids of those whose rows ``differ`` (the first folder's are kept)."""

    copied: int
    shared: int
    differ: tuple[str, ...]
    other_fields: bool


def merge(sources: Sequence[str], out: str) -> Merged:
    """Union by unit id into ``out``, which keeps what it has.

    Raises ``InvalidInput`` where a source is no results folder or another study's, and
    ``StoreUnwritable``. Damaged files are quarantined where they lie.
    """
    stores = [Store.open(source) for source in sources]
    target = Store.locate(out)
    manifests = [store.manifest() for store in ([target] if target.exists() else []) + stores]
    for manifest, place in zip(manifests[-len(stores) :], sources, strict=True):
        same_study(manifest, manifests[0]["study"]["name"], place)
    target = Store.open(out, create=True)
    target.write_manifest(union(manifests))
    copied, shared, differ = 0, 0, []
    for store in stores:
        for files in store.read_units(sorted(store.done())):
            known = {i: file for some in target.read_units(files) for i, file in some.items()}
            for unit_id, file in files.items():
                here = known.get(unit_id)
                if here is None:
                    target.write_file(unit_id, file)
                    copied += 1
                elif equal_rows(here.rows, file.rows):
                    shared += 1
                else:
                    differ.append(unit_id)
    done = target.done()
    for store in stores:
        for failure in store.failures().values():
            if failure.unit not in done:
                target.logs.write(failure)
    other = any(manifest["study"] != manifests[0]["study"] for manifest in manifests)
    return Merged(copied, shared, tuple(differ), other)


def union(manifests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The first manifest, its waiting stages filled from those of the same fields."""
    first = manifests[0]
    known = {
        (stage["part"], stage["name"]): stage
        for manifest in reversed(manifests)
        if manifest["study"] == first["study"]
        for stage in manifest["stages"]
        if stage["units"] is not None
    }
    stages = [known.get((stage["part"], stage["name"]), stage) for stage in first["stages"]]
    return first | {"stages": stages}


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Merge results folders; 0, or 2 where they cannot be merged."""
    parser = Parser(prog="python -m benchmark.merge", description=__doc__)
    parser.add_argument("sources", metavar="RESULTS", nargs="+", help="results of one study")
    parser.add_argument("--out", required=True, help="the folder or URI of their union")
    arguments = parser.parse_args(argv)
    merged = merge(arguments.sources, arguments.out)
    print(f"{merged.copied:,} units copied, {merged.shared:,} were there already with equal rows")
    if merged.differ:
        ids = ", ".join(unit_id[:12] for unit_id in merged.differ)
        print(f"{len(merged.differ):,} units differ between folders; the first was kept: {ids}")
    if merged.other_fields:
        print("the folders were made with different fields; the first one's plan was kept")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
