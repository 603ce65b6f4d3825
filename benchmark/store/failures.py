"""Failed attempts at a unit: what went wrong, kept until the unit is done."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from socket import gethostname
from typing import Final
from uuid import uuid4

from benchmark.store.folder.files import Files
from benchmark.store.folder.quarantine import Quarantine
from benchmark.store.folder.seal import Corrupt, decode_json, encode_json
from benchmark.study.unit import Unit

NAME: Final = re.compile(r"(?P<unit>[0-9a-f]{64})\.(?P<attempt>[1-9][0-9]*)(\.[0-9a-f]{32})?\.json")
"""The name of a failure log; those written first had no random part."""


HOME: Final = re.compile(r"/(?:home|Users)/[^/\s\"':]+")


@dataclass(frozen=True)
class Failure:
    """One failed attempt: ``attempt`` counts from 1, ``error`` is the traceback's last line.

    ``killed`` says that its worker went with it, and did not come to the units after it.
    """

    unit: str
    description: str
    attempt: int
    error: str
    traceback: str
    killed: bool = False


def encode_failure(failure: Failure) -> bytes:
    """The sealed log of a failed attempt."""
    return encode_json(asdict(failure))


def decode_failure(data: bytes, name: str) -> Failure:
    """A log read back; raises ``Corrupt``."""
    content = decode_json(data)
    types = {field.name: field.type for field in fields(Failure)}
    if not (types.keys() - {"killed"} <= content.keys() <= types.keys()):
        raise Corrupt("a failure has other fields")
    for field, value in content.items():
        if type(value).__name__ != types[field]:
            raise Corrupt(f"{field} is no {types[field]}")
    if content["unit"] != name.split(".")[0]:
        raise Corrupt("the file's name is another unit's")
    return Failure(**content)


@dataclass(frozen=True)
class FailureLogs:
    """The logs of failed attempts in a results folder; files of other names are left alone."""

    files: Files
    quarantine: Quarantine

    def list_logs(self) -> dict[str, list[tuple[int, str]]]:
        """The attempt and the file name of every log per unit id, in order."""
        found: dict[str, list[tuple[int, str]]] = {}
        for name in sorted(self.files.list_names("failures")):
            if log := NAME.fullmatch(name):
                found.setdefault(log["unit"], []).append((int(log["attempt"]), name))
        return {unit_id: sorted(logs) for unit_id, logs in sorted(found.items())}

    def write(self, failure: Failure) -> None:
        """Keep a failure as its unit's next attempt; raises ``StoreUnwritable``.

        Two drivers may count the same attempt; the random part of the name keeps both their logs.
        """
        failure = replace(
            failure, error=hide_user(failure.error), traceback=hide_user(failure.traceback)
        )
        attempt = 1 + max(
            (attempt for attempt, _ in self.list_logs().get(failure.unit, ())), default=0
        )
        name = f"{failure.unit}.{attempt}.{uuid4().hex}.json"
        self.files.write(f"failures/{name}", encode_failure(replace(failure, attempt=attempt)))

    def read(self, name: str) -> Failure | None:
        """A log by its file's name; None where it is missing or was set aside."""
        return self.quarantine.read_checked(
            "failures", name, lambda data: decode_failure(data, name)
        )

    def read_last(self, wanted: Callable[[str], bool]) -> dict[str, Failure]:
        """The last log that passes its checks, of every unit that is wanted and has one."""
        found: dict[str, Failure] = {}
        for unit_id, logs in self.list_logs().items():
            if wanted(unit_id):
                passing = filter(None, (self.read(name) for _, name in reversed(logs)))
                if (last := next(passing, None)) is not None:
                    found[unit_id] = last
        return found


def hide_user(text: str) -> str:
    """A text without the folders of this user and machine, and without its name: results can be
    published as they are. Files of packages and of this project are named from where they lie."""
    roots = {str(Path(entry).resolve()) for entry in sys.path} | set(sys.path)
    for root in sorted(filter(os.path.isabs, roots), key=len, reverse=True):
        if root.strip("/"):
            text = text.replace(f"{root.rstrip('/')}/", "")
    signs = {gethostname(): "HOST"}
    with contextlib.suppress(OSError):  # the working folder was deleted
        signs[str(Path.cwd())] = "."
    with contextlib.suppress(RuntimeError):  # this user has no home
        signs[str(Path.home())] = "~"
    for word, sign in signs.items():
        if word.strip("/"):  # not the root of all
            text = re.sub(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", sign, text)
    return HOME.sub("~", text)


def describe_unit(unit: Unit) -> str:
    """A unit in a few words."""
    return f"{unit.space} {unit.architecture} ({len(unit.replicas)} replicas)"


def describe_error(error: BaseException) -> tuple[str, str]:
    """The last line and the whole of an exception's traceback."""
    return "".join(traceback.format_exception_only(error)).strip(), "".join(
        traceback.format_exception(error)
    )
