"""Odd things to type, and what every answer to them must be."""

import contextlib
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, settings

SECONDS = 20.0
"""How long any answer may take."""
NUMBERS = (
    "nan",
    "inf",
    "-inf",
    "0",
    "-1",
    "1e-9",
    "0.5",
    "2",
    "99999",
    str(10**20),
    "-" + str(10**20),
)
TEXTS = (
    "",
    " ",
    ",",
    "none",
    "true",
    "digits",
    "npz:",
    "npz:nowhere.npz",
    "imagefolder:.",
    "mlp-2",
)
PATHS = (
    *(
        "",
        " ",
        ".",
        "/",
        "~no-such-user/x",
        "/dev/null",
        "/dev/null/x",
        "nowhere/x",
        "a" * 300,
        "\0",
    ),
    *(
        "x\ny",
        "-",
        "--",
        "s3:",
        "s3://",
        "s3:/bucket/x",
        "nosuch://x",
        "file://",
        "http://[",
        "é/x",
    ),
)
EXTREMES = ("nan", "inf", "0", "-1", str(10**20), "")
WRITTEN = tuple(path for path in PATHS if path != "/")
"""Places to write to; that of root is left alone, since it might work."""
QUIET = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check(
    main: Callable[[Sequence[str]], int],
    arguments: Sequence[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One run of a command: its code, its sentence, its time."""
    begin = time.monotonic()
    code: object = 0
    try:
        with contextlib.suppress(SystemExit):  # --help
            code = main(arguments)
    finally:
        error = capsys.readouterr().err
    assert time.monotonic() - begin < SECONDS
    assert code in (0, 2)
    if code == 2:
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert len(error) < 1_000
