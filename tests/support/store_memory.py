"""How much memory commands need of a planted store: ``python tests/support/store_memory.py 50000``.

Every unit has three replicas, and every command is a process of its own, whose peak is printed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmark.store.formats.unit_file import encode
from benchmark.store.store import Store
from search_spaces.command import entry_point
from support.commands import environment
from support.planted_units import (
    planted_manifest,
    planted_provenance,
    planted_rows,
    planted_unit,
)


def plant(results: Path, count: int) -> None:
    """A complete store, every unit in a file of its own."""
    store, record, units = Store.open(str(results), create=True), planted_provenance(), []
    for number in range(count):
        unit = planted_unit(f"mlp-{number}")
        units.append(unit)
        path = Path(store.files.path("units", f"{unit.id}.arrow"))
        path.write_bytes(encode(unit, planted_rows(unit), record))
    store.write_manifest(planted_manifest(units))


def measure(*command: str) -> tuple[float, float]:
    """Seconds, and megabytes at the peak."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - begin, used.ru_maxrss / 1024


@entry_point
def main() -> int:
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        plant(results, count)
        for words in ("status", "export", "compact", "status", "export"):
            out = ("--out", f"{folder}/rows.parquet") if words == "export" else ()
            seconds, megabytes = measure("benchmark", words, str(results), *out)
            print(f"{words}: {megabytes:,.0f} MB, {seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
