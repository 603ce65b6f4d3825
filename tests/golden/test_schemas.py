"""Files of every released schema stay readable, row for row.

``python tests/golden/test_schemas.py`` writes the files of the present schema, once, when it is
released; those of released schemas are never written again.
"""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from benchmark.engine import engine
from benchmark.plan.planner import plan
from benchmark.store import provenance
from benchmark.store.formats import compacted_file, schema
from benchmark.store.formats.unit_file import READERS, decode, encode
from benchmark.study import Depth, Study
from benchmark.study.recipe import Recipe

GOLDEN = Path(__file__).parent


def write() -> None:
    """A real unit of three replicas, the last of which diverges: its file, and its rows."""
    part = Depth(
        name="golden",
        space="mlp",
        options={"width": 4},
        rules=("path-cubed",),
        seeds=1,
        depths=(2, 3),
        rates=(0.01, 0.1, 1e6),
        recipe=Recipe(batch=256, epochs=2),
    )
    study = Study(name="golden", question="Can it still be read?", parts=(part,))
    stages = plan(study, lambda ids: None)
    unit = next(unit for stage in stages if stage.name == "grid" for unit in stage.units or ())
    rows = engine.run(unit)
    folder = GOLDEN / f"schema-{schema.VERSION}"
    folder.mkdir()
    file = encode(unit, rows, provenance.make_record("0" * 40, 1.0))
    (folder / f"{unit.id}.arrow").write_bytes(file)
    (folder / "rows.json").write_text(json.dumps(rows, indent=1) + "\n")


@pytest.mark.parametrize("version", sorted(READERS))
def test_a_file_of_every_released_schema_gives_its_rows(version: int) -> None:
    folder = GOLDEN / f"schema-{version}"
    (file,) = folder.glob("*.arrow")
    read = decode(file.read_bytes(), file.stem)
    assert read.rows.schema.equals(schema.SCHEMA)
    expected = json.loads((folder / "rows.json").read_text())
    assert [{name: row[name] for name in expected[0]} for row in read.rows.to_pylist()] == expected
    assert [row["status"] for row in expected] == ["done", "done", "diverged"]
    assert set(read.provenance) >= {"commit", "versions", "platform", "seconds", "finished"}


def fold() -> None:
    """The newest golden unit in a compacted file."""
    (file,) = (GOLDEN / f"schema-{schema.VERSION}").glob("*.arrow")
    units = {file.stem: decode(file.read_bytes(), file.stem)}
    folder = GOLDEN / f"compacted-{compacted_file.FORMAT}"
    folder.mkdir()
    name, _ = compacted_file.write_compacted(folder / "new", [units])
    (folder / "new").rename(folder / name)


def test_a_compacted_file_gives_the_units_that_were_folded() -> None:
    (file,) = (GOLDEN / f"compacted-{compacted_file.FORMAT}").glob("*.parquet")
    compacted = compacted_file.CompactedFile(pa.OSFile(str(file)), file.name)
    ((unit_id, found),) = next(compacted.read(compacted.spans)).items()
    kept = decode((GOLDEN / "schema-1" / f"{unit_id}.arrow").read_bytes(), unit_id)
    assert found.rows.equals(kept.rows)
    assert (found.provenance, found.unit) == (kept.provenance, kept.unit)


if __name__ == "__main__":
    write()
    if not (GOLDEN / f"compacted-{compacted_file.FORMAT}").exists():
        fold()
