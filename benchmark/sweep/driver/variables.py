"""Environment variables that hold while something is done, for the processes started meanwhile."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def set_variables(**variables: str | None) -> Iterator[None]:
    """Environment variables of processes that are started meanwhile; None unsets one."""
    before = {name: os.environ.get(name) for name in variables}
    change_variables(variables)
    try:
        yield
    finally:
        change_variables(before)


def change_variables(variables: dict[str, str | None]) -> None:
    """Set or unset environment variables."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
