"""One thread, as every worker has, and planted stores: written once, read by many."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from support import planted
from support.signals import heed_signals
from support.tally import TALLY

torch.set_num_threads(1)
heed_signals()


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: the slow ones, then those that start Ray, come last.

    Tests that start Ray or break things are of the whole system: ``-m system``.
    """
    for item in items:
        if "ray" in item.keywords or "chaos" in item.path.parts:
            item.add_marker(pytest.mark.system)
    items.sort(key=lambda item: ("slow" in item.keywords) + 2 * ("ray" in item.keywords))


@pytest.fixture(autouse=True)
def subnormal_numbers() -> Iterator[None]:
    """Training flushes them to zero, for its whole process; hypothesis wants them back."""
    yield
    torch.set_flush_denormal(False)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """With ``--numprocesses`` every process counts for itself; here they are added up."""
    TALLY.add(getattr(node, "workeroutput", {}).get("tally", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The counts of one of several processes."""
    if output := getattr(session.config, "workeroutput", None):
        output["tally"] = asdict(TALLY) | {"faults": dict(TALLY.faults)}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the chaos tests counted."""
    if TALLY.faults:
        terminalreporter.section("chaos")
        for line in TALLY.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The small study's rows without Ray and without trouble: by the engine alone."""
    from support.small_study import train_alone

    return train_alone(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="session")
def helped(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A complete study in which path-cubed truly helps."""
    folder = tmp_path_factory.mktemp("helped") / "results"
    return planted.write(folder, planted.study(), helps="path-cubed")


@pytest.fixture(scope="session")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A study whose last three units are missing."""
    folder = tmp_path_factory.mktemp("unfinished") / "results"
    return planted.write(folder, planted.study(), leave_out=3)


@pytest.fixture(scope="session")
def page(helped: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The written page of ``helped``."""
    from benchmark.report.__main__ import main

    out = tmp_path_factory.mktemp("page")
    assert main([helped, "--out", str(out)]) == 0
    return out / "index.html"
