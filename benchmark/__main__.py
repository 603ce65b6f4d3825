"""``python -m benchmark``: lists the commands; ``python -m benchmark NAME ...`` runs one."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence

from benchmark.command import COMMANDS, entry_point
from search_spaces.errors import InvalidInput


def list_commands() -> str:
    """A line for each command, and where studies and architectures are."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(
        (
            "usage: python -m benchmark COMMAND [ARGUMENTS]    (COMMAND --help for its arguments)",
            "",
            *lines,
            "",
            "A study runs as python jobs/NAME.py; python -m search_spaces shows architectures.",
        )
    )


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code, or 2 where there is no such command."""
    name, *arguments = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help"):
        print(list_commands())
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        mend = f"did you mean {near[0]}?" if near else f"use one of {', '.join(COMMANDS)}"
        raise InvalidInput(f"there is no command {name!r}; {mend}")
    module = importlib.import_module(COMMANDS[name][0])  # each imports only what it needs
    code: int = module.main(arguments)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
