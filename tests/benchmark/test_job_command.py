"""The command of a study: recorded with its plan, shown on its page, without the user's paths."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from rich.console import Console
from support.small_study import STUDY

from benchmark.engine import engine
from benchmark.findings.methods import FORMER_COMMAND, tabulate_provenance
from benchmark.store.folder.seal import Corrupt
from benchmark.store.formats.manifest import decode_manifest, encode_manifest, make_manifest
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study.fields import describe_command, override_fields, read_assignments
from benchmark.sweep.resources import Resources
from benchmark.sweep.rounds import Rounds


@pytest.mark.parametrize(
    "given",
    [
        [],
        [("seeds", "3"), ("cells.rates", "0.1,0.2")],
        [("activation", "gelu"), ("cells.sample", "none")],
    ],
)
def test_the_command_asks_for_the_same_study(given: list[tuple[str, str]]) -> None:
    *head, out, results = shlex.split(describe_command(STUDY.name, "smoke", given))
    assert head[:4] == ["python", f"jobs/{STUDY.name}.py", "--scale", "smoke"]
    assert (out, results) == ("--out", "RESULTS")
    again = override_fields(STUDY, list(read_assignments(head[4:])))
    assert again == override_fields(STUDY, given)


def test_no_path_of_the_user_is_in_it() -> None:
    given = [("dataset", "npz:/home/me/secret.npz"), ("cells.dataset", "imagefolder:~/mine?size=8")]
    command = describe_command("mine", "full", given)
    assert command == (
        "python jobs/mine.py --dataset npz:PATH --cells.dataset imagefolder:PATH --out RESULTS"
    )
    assert "digits" in describe_command("mine", "full", [("dataset", "digits")])


@pytest.mark.parametrize("command", ["", "python jobs/small.py --seeds 3 --out RESULTS"])
def test_the_page_shows_the_command_that_planned_the_study(tmp_path: Path, command: str) -> None:
    store = Store.open(str(tmp_path), create=True)
    Rounds(STUDY, store, 1, Resources(), engine.run, Console(), command).plan_rest()
    results = Results.load(str(tmp_path))
    assert results.command == command
    rows = {name: value for name, value in tabulate_provenance(results).rows}  # noqa: C416
    assert rows["trained by"] == f"{command or FORMER_COMMAND}, with the fields under Methods"


def test_a_command_that_is_no_text_is_damage() -> None:
    with pytest.raises(Corrupt):
        decode_manifest(encode_manifest(make_manifest(STUDY, []) | {"command": 3}))
