"""The arguments of every command: their parser, and paths among them."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from search_spaces.errors import InvalidInput

URI: Final = re.compile("(?i)[a-z][a-z0-9+.-]+:(//|/|$)")


class Parser(argparse.ArgumentParser):
    """Argument errors become the one sentence that every other bad input gets."""

    def error(self, message: str) -> NoReturn:
        """Raise ``InvalidInput``; argparse itself would print its usage and exit."""
        raise InvalidInput(f"{message}; see --help")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As argparse does; raises ``InvalidInput`` for an argument with a NUL character."""
        args = list_arguments() if args is None else args
        for argument in args:
            if "\0" in argument:
                raise InvalidInput(f"argument {argument!r} has a NUL character; leave it out")
            if argument.endswith("=--"):  # argparse takes that value for an empty list
                raise InvalidInput(f"argument {argument!r} has no value; give one")
        return super().parse_known_args(args, namespace)


def list_arguments() -> list[str]:
    """The arguments of this process; none in a notebook, where they are its kernel's."""
    path = Path(sys.argv[0] if sys.argv else "")
    if path.stem.endswith("kernel_launcher") or path.parent.name == "ipykernel":
        return []
    return sys.argv[1:]


def local_path(text: str) -> Path:
    """The type of an argument that names a file or folder of this machine; ``~`` is expanded.

    Raises ``ArgumentTypeError``, which the parser says in one sentence, for an empty name, a URI
    and an unknown home: each of them would be the name of an odd folder here.
    """
    if not text.strip() or URI.match(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no path of this machine; give one (./{text} for a folder of that name)"
            if text.strip()
            else "the path is empty; give one"
        )
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}; give an absolute path") from error
