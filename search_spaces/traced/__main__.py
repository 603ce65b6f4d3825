"""``python -m search_spaces.traced coverage``: which networks of other packages trace."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from search_spaces.command import Parser, entry_point, local_path
from search_spaces.traced.coverage import list_targets, make_table, write_table


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 2 after one sentence about what was wrong."""
    parser = Parser(
        prog="python -m search_spaces.traced", description="Networks that people bring."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    coverage = commands.add_parser("coverage", help="a table: traced or refused, and why")
    coverage.add_argument("target", nargs="*", help="such as torchvision:resnet18 (else all)")
    coverage.add_argument(
        "--out", type=local_path, metavar="PAGE.md", help="write it between its marks"
    )
    asked = parser.parse_args(arguments)
    known = dict(list_targets())
    chosen = [(t, known.get(t)) for t in asked.target] if asked.target else list(known.items())
    lines = []
    for line in make_table(chosen):
        print(line, flush=True)
        lines.append(line)
    if asked.out is not None:
        write_table(asked.out, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
