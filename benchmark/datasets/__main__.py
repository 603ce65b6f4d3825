"""``python -m benchmark.datasets``: download a published set, or check what training will see."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.command import Parser, entry_point
from benchmark.datasets.names import PUBLISHED, data_folder, parse_name
from search_spaces.errors import InvalidInput


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """``download NAME`` or ``check NAME``: 0, or 2 and a sentence."""
    parser = Parser(prog="python -m benchmark.datasets", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    download = commands.add_parser("download", help="get a published set into DATA_DIR")
    download.add_argument("name", choices=PUBLISHED)
    check = commands.add_parser("check", help="say what training will see of a set")
    check.add_argument("name", metavar="NAME", help="as for a study's --dataset")
    asked = parser.parse_args(argv)
    from benchmark.datasets import catalog  # loads torch, which --help does not need
    from benchmark.datasets.description import describe_dataset
    from benchmark.datasets.kinds.sources import CIFAR

    if asked.command == "download" and asked.name in CIFAR:
        download_cifar(asked.name)
    lines = describe_dataset(parse_name(asked.name), catalog.load(asked.name))
    text = "\n".join(lines)  # paths may hold what the terminal's encoding does not
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
    return 0


def download_cifar(name: str) -> None:
    """Put a CIFAR set under ``DATA_DIR``; raises ``InvalidInput`` where that fails."""
    from benchmark.datasets.kinds.sources import load_cifar

    folder = data_folder()
    try:
        load_cifar(name, Path(folder), download=True)
    except OSError as error:
        raise InvalidInput(
            f"{name} could not be downloaded to {folder} ({error}); try again, or put the "
            "published archive there"
        ) from error


if __name__ == "__main__":
    raise SystemExit(main())
